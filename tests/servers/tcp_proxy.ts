import type { Certificate } from "./kube_authority.ts";

/** What becomes of connections through a proxy. */
export type ProxyMode = "forward" | "close" | "silence";

/** A proxy on loopback, as the network between two programs. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /**
   * `close` ends connections at once, also new ones; `silence` accepts everything and answers
   * nothing, as a network that drops packets.
   */
  set(mode: ProxyMode): void;
  /** How many connections were cut in the middle of a reply. */
  readonly cuts: number;
  /**
   * From now on connections are cut within this many bytes of replies; null for never. `end` ends
   * only the proxy's side, which goes on reading, as a proxy that drains.
   */
  cutWithin(bytes: number | null, how?: "close" | "end"): void;
}

/** A connection to a port; undefined where nothing listens. */
async function connectTo(port: number): Promise<Deno.Conn | undefined> {
  try {
    return await Deno.connect({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return undefined;
    throw error;
  }
}

/**
 * Starts a proxy to a port of `127.0.0.1`.
 * @param tls the certificate with which it speaks TLS to programs, in front of a server that has none
 */
export function startTcpProxy(
  target: number,
  hostname = "127.0.0.1",
  tls?: Readonly<Certificate>,
): TcpProxy {
  const listener: Deno.Listener<Deno.Conn> = tls
    ? Deno.listenTls({ hostname, port: 0, ...tls })
    : Deno.listen({ hostname, port: 0 });
  let mode: ProxyMode = "forward";
  const open = new Set<Deno.Conn>();
  const end = (connection: Deno.Conn) => {
    if (open.delete(connection)) connection.close();
  };
  let within: number | null = null;
  let cutBy: "close" | "end" = "close";
  let cuts = 0;
  const pipe = async (from: Deno.Conn, to: Deno.Conn, isReply: boolean) => {
    // Connections are cut at different places.
    let left = Math.random();
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const size = await from.read(buffer);
        if (size === null) break;
        if (mode === "silence") continue;
        if (isReply && within !== null) left -= size / within;
        const isCut = isReply && within !== null && left < 0;
        const end = isCut ? Math.floor(size / 2) : size;
        for (let sent = 0; sent < end;) sent += await to.write(buffer.subarray(sent, end));
        if (!isCut) continue;
        cuts++;
        if (cutBy === "close") break;
        // The other direction goes on until the program closes the connection.
        return await to.closeWrite();
      }
    } catch {
      // One of the two was closed: by its program, or by the proxy.
    }
    end(from);
    end(to);
  };
  const serve = async (connection: Deno.Conn) => {
    open.add(connection);
    if (mode === "close") return end(connection);
    const server = await connectTo(target);
    if (!server) return end(connection);
    open.add(server);
    await Promise.all([pipe(connection, server, false), pipe(server, connection, true)]);
  };
  const running = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const connection of listener) {
      const served = serve(connection).finally(() => running.delete(served));
      running.add(served);
    }
  })();
  const closeAll = () => [...open].forEach(end);
  return {
    port: (listener.addr as Deno.NetAddr).port,
    set(next) {
      mode = next;
      if (mode !== "silence") closeAll();
    },
    get cuts() {
      return cuts;
    },
    cutWithin(bytes, how = "close") {
      within = bytes;
      cutBy = how;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      closeAll();
      await accepting;
      await Promise.all(running);
    },
  };
}

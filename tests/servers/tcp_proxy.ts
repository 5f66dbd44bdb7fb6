/** A TCP proxy on loopback that cuts connections, also in the middle of a reply. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** How many replies were cut. */
  readonly cuts: number;
  /** From now on every connection is cut after about this many bytes of replies; null for never. */
  cutAfter(bytes: number | null): void;
}

/** Starts a proxy to a port of this machine. */
export function startTcpProxy(target: number): TcpProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections = new Set<Deno.TcpConn>();
  const running = new Set<Promise<void>>();
  let limit: number | null = null;
  let cuts = 0;

  const close = (...both: Deno.TcpConn[]) => {
    for (const connection of both) {
      if (connections.delete(connection)) connection.close();
    }
  };

  const serve = async (client: Deno.TcpConn) => {
    connections.add(client);
    let server: Deno.TcpConn;
    try {
      server = await Deno.connect({ hostname: "127.0.0.1", port: target });
    } catch {
      // The server is away: the client sees a connection that ends.
      close(client);
      return;
    }
    connections.add(server);
    let left = Math.random();
    await Promise.all([
      pump(client, (chunk) => writeAll(server, chunk)),
      pump(server, async (chunk) => {
        // A part of the limit, so that connections are cut at different places.
        if (limit !== null) left -= chunk.length / limit;
        if (limit === null || left > 0) return await writeAll(client, chunk);
        cuts++;
        await writeAll(client, chunk.subarray(0, Math.floor(chunk.length / 2)));
        close(client, server);
      }),
    ]);
    close(client, server);
  };

  const pump = async (from: Deno.TcpConn, write: (chunk: Uint8Array) => Promise<void>) => {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) return;
        await write(buffer.subarray(0, count));
      }
    } catch {
      // One side has closed, or the proxy has cut it.
    }
  };

  const accepting = (async () => {
    for await (const client of listener) {
      const served: Promise<void> = serve(client).finally(() => running.delete(served));
      running.add(served);
    }
  })();

  return {
    port: (listener.addr as Deno.NetAddr).port,
    get cuts() {
      return cuts;
    },
    cutAfter(bytes) {
      limit = bytes;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      close(...connections);
      await Promise.all(running);
    },
  };
}

async function writeAll(to: Deno.TcpConn, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += await to.write(chunk.subarray(at));
}

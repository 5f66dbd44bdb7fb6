/** Raw connections, from a loopback address that the test chooses. */
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { Buffer } from "node:buffer";

export interface RawPeer {
  readonly socket: Socket;
  /** Everything that the server has sent, once it has closed the connection. */
  readonly ended: Promise<string>;
}

/** Connects from `localAddress`, and sends `bytes`. */
export async function rawPeer(
  port: number,
  bytes: Uint8Array | string = "",
  localAddress = "127.0.0.1",
): Promise<RawPeer> {
  const socket = connect({ host: "127.0.0.1", port, localAddress, noDelay: true });
  const received: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => received.push(chunk));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const ended = closed.then(() => Buffer.concat(received).toString("latin1"));
  await once(socket, "connect");
  // From here on the server may end it in any way, including a reset.
  socket.on("error", () => {});
  if (bytes.length > 0) socket.write(bytes);
  return { socket, ended };
}

/** Requests the server's version with one JSON call on a separate connection. */
export async function getVersion(port: number, localAddress?: string): Promise<string> {
  const { ended } = await rawPeer(
    port,
    "POST /mpc.v1.DiagnosticsService/GetServerInfo HTTP/1.1\r\nHost: localhost\r\n" +
      "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    localAddress,
  );
  const answer = await ended;
  const version = /"version":"([^"]+)"/.exec(answer)?.[1];
  if (version === undefined) throw new Error(`the server does not answer: ${answer}`);
  return version;
}

/** A client that makes one call on a raw socket and ends with GOAWAY. */
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const END_STREAM = 0x1;
const END_HEADERS = 0x4;

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/**
 * A header field without compression (RFC 7541, section 6.2.2); its name is new or from the table.
 */
function field(name: string | number, value: string): Buffer {
  const text = (s: string) => Buffer.concat([Buffer.from([s.length]), Buffer.from(s)]);
  const head = typeof name === "string"
    ? Buffer.concat([Buffer.from([0]), text(name)])
    : name < 15
    ? Buffer.from([name])
    : Buffer.from([0x0f, name - 15]);
  return Buffer.concat([head, text(value)]);
}

const METHOD_POST = Buffer.from([0x83]);
const SCHEME_HTTP = Buffer.from([0x86]);

function callOf(path: string): Buffer {
  const headers = Buffer.concat([
    METHOD_POST,
    SCHEME_HTTP,
    field(4, path),
    field(1, "localhost"),
    field(31, "application/grpc"),
    field("te", "trailers"),
  ]);
  return Buffer.concat([
    PREFACE,
    frame(0x4, 0, 0, Buffer.alloc(0)),
    frame(0x1, END_HEADERS, 1, headers),
    frame(0x0, END_STREAM, 1, Buffer.alloc(5)),
  ]);
}

const GOAWAY = frame(0x7, 0, 0, Buffer.alloc(8));

export interface GoawayTarget {
  readonly port: number;
  /** The certificate to trust; undefined for plain connections. */
  readonly cert?: string;
}

/**
 * Opens `count` connections at once; each makes a call and sends GOAWAY.
 * @returns how many of them received anything from the server
 */
export async function goawayBurst(
  { port, cert }: GoawayTarget,
  path: string,
  count: number,
): Promise<number> {
  const call = callOf(path);
  let answered = 0;
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      new Promise<void>((resolve, reject) => {
        const options = { host: "127.0.0.1", port };
        const socket: Socket = cert
          ? connectTls({ ...options, ca: cert, servername: "localhost", ALPNProtocols: ["h2"] })
          : connectPlain(options);
        socket.setTimeout(15_000, () => reject(new Error("no answer within 15 s")));
        socket.once(cert ? "secureConnect" : "connect", () => {
          // Half of them send GOAWAY with the call, half when the response begins.
          socket.write(index % 2 === 0 ? Buffer.concat([call, GOAWAY]) : call);
        });
        socket.once("data", () => {
          answered++;
          if (index % 2 === 1) socket.write(GOAWAY);
          socket.end();
          // A pause in the middle of the disconnect is what the server must survive.
          setImmediate(() => socket.destroy());
        });
        socket.on("error", reject);
        socket.on("close", () => resolve());
      })),
  );
  return answered;
}

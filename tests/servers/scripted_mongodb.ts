import { BSON } from "mongodb";

/** When the peer ends its side of a connection. It goes on reading what the driver sends. */
export type EndOfConnection = "before the reply" | "within the reply" | "after the reply";

/** A peer that speaks as much of MongoDB's wire protocol as a driver needs to stay connected. */
export interface ScriptedMongodb extends AsyncDisposable {
  readonly port: number;
  /** How many connections it has ended. */
  readonly ended: number;
  /**
   * Ends connections at the next commands of a name; `heartbeat` is a `hello` that waits for the
   * server's state to change.
   */
  endAt(command: string, when: EndOfConnection, times: number): void;
  /** Ends its side of all connections, between two commands. */
  endAll(): Promise<void>;
  /** Reads and answers nothing any more. */
  fallSilent(): void;
}

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const MORE_TO_COME = 1 << 1;
const EXHAUST_ALLOWED = 1 << 16;

interface Request {
  readonly id: number;
  readonly opcode: number;
  readonly flags: number;
  readonly command: BSON.Document;
}

export interface ScriptedOptions {
  /** The replica set whose primary it claims to be; by default a server of its own. */
  readonly setName?: string;
  /** Answers a command in place of the peer; undefined for a command that it leaves to the peer. */
  readonly answer?: (command: BSON.Document) => Promise<BSON.Document> | undefined;
}

/** Starts a peer that claims to be a server with sessions and streamed heartbeats. */
export function startScriptedMongodb(options: ScriptedOptions = {}): ScriptedMongodb {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const processId = new BSON.ObjectId();
  const open = new Set<Deno.Conn>();
  const plan = { command: "", when: "before the reply" as EndOfConnection, times: 0 };
  let ended = 0;
  const silent = Promise.withResolvers<void>();
  let isSilent = false;
  const { port } = listener.addr as Deno.NetAddr;
  const serve = async (connection: Deno.Conn) => {
    open.add(connection);
    try {
      for await (const request of requestsOf(connection)) {
        const [first = ""] = Object.keys(request.command);
        const isHello = /^(hello|ismaster)$/i.test(first);
        const waits = request.command.topologyVersion !== undefined;
        const name = isHello ? waits ? "heartbeat" : "hello" : first;
        const own = options.answer?.(request.command);
        const document = isHello
          ? { ...hello(processId), ...member(options, port) }
          : await own ?? answer(name);
        const reply = replyTo(request, document);
        const ends = plan.times > 0 && plan.command === name;
        if (isSilent) await silent.promise;
        // A streamed heartbeat is answered when something has changed, which never happens.
        if (!ends && waits) continue;
        if (!ends) {
          await write(connection, reply);
          continue;
        }
        plan.times--;
        ended++;
        if (plan.when === "within the reply") await write(connection, reply.subarray(0, 20));
        if (plan.when === "after the reply") await write(connection, reply);
        await connection.closeWrite();
      }
    } catch {
      // The driver has closed the connection, or the peer has.
    }
    if (open.delete(connection)) connection.close();
  };
  const running = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const connection of listener) {
      const served = serve(connection).finally(() => running.delete(served));
      running.add(served);
    }
  })();
  return {
    port,
    get ended() {
      return ended;
    },
    endAt(command, when, times) {
      Object.assign(plan, { command, when, times });
    },
    async endAll() {
      for (const connection of [...open]) await connection.closeWrite();
    },
    fallSilent() {
      isSilent = true;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      silent.resolve();
      for (const connection of [...open]) {
        if (open.delete(connection)) connection.close();
      }
      await accepting;
      await Promise.all(running);
    },
  };
}

const hello = (processId: BSON.ObjectId): BSON.Document => ({
  ok: 1,
  helloOk: true,
  isWritablePrimary: true,
  minWireVersion: 0,
  maxWireVersion: 21,
  maxBsonObjectSize: 16 * 1024 * 1024,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  topologyVersion: { processId, counter: BSON.Long.ZERO },
});

/** What the primary of a replica set with one member adds to its `hello`. */
function member({ setName }: ScriptedOptions, port: number): BSON.Document {
  if (setName === undefined) return {};
  const me = `127.0.0.1:${port}`;
  return { setName, setVersion: 1, hosts: [me], me, primary: me };
}

/**
 * Rejects every password. Every query has more documents than the first batch, so that its cursor
 * has to be closed.
 */
function answer(command: string): BSON.Document {
  if (command === "saslStart") return { ok: 0, code: 18, errmsg: "Authentication failed." };
  if (command !== "find") return { ok: 1 };
  return { ok: 1, cursor: { id: BSON.Long.ONE, ns: "mpc.any", firstBatch: [{ _id: 1 }] } };
}

async function* requestsOf(connection: Deno.Conn): AsyncGenerator<Request> {
  let bytes = new Uint8Array();
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const size = await connection.read(buffer);
    if (size === null) return;
    const joined = new Uint8Array(bytes.length + size);
    joined.set(bytes);
    joined.set(buffer.subarray(0, size), bytes.length);
    bytes = joined;
    for (;;) {
      const length = bytes.length < 4 ? Infinity : new DataView(bytes.buffer).getInt32(0, true);
      if (bytes.length < length) break;
      yield parse(bytes.slice(0, length));
      bytes = bytes.slice(length);
    }
  }
}

/** "MongoDB Wire Protocol", MongoDB manual. */
function parse(message: Uint8Array<ArrayBuffer>): Request {
  const view = new DataView(message.buffer);
  const opcode = view.getInt32(12, true);
  const body = opcode === OP_QUERY ? message.indexOf(0, 20) + 1 + 8 : 21;
  const size = view.getInt32(body, true);
  return {
    id: view.getInt32(4, true),
    opcode,
    flags: view.getInt32(16, true),
    command: BSON.deserialize(message.subarray(body, body + size)),
  };
}

function replyTo({ id, opcode, flags }: Request, document: BSON.Document): Uint8Array {
  if (opcode === OP_MSG && (flags & MORE_TO_COME) !== 0) return new Uint8Array();
  const body = BSON.serialize(document);
  const head = opcode === OP_QUERY ? 36 : 21;
  const message = new Uint8Array(head + body.length);
  const view = new DataView(message.buffer);
  view.setInt32(0, message.length, true);
  view.setInt32(8, id, true);
  view.setInt32(12, opcode === OP_QUERY ? OP_REPLY : OP_MSG, true);
  // The number of documents; an OP_MSG has one section of kind 0.
  if (opcode === OP_QUERY) view.setInt32(32, 1, true);
  else if ((flags & EXHAUST_ALLOWED) !== 0) view.setInt32(16, MORE_TO_COME, true);
  message.set(body, head);
  return message;
}

async function write(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

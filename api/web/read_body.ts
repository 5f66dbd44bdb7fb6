import { Code, ConnectError } from "@connectrpc/connect";
import { getLogger } from "@logtape/logtape";
import type { Peer } from "../connections/peers.ts";
import { unreadableRequest } from "../unreadable_request.ts";
import { tooMuchAtOnce, type WebCall } from "./web_call.ts";

/** Bodies up to this size are read in one go. */
const QUICK_BYTES = 64 * 1024;

/** Reads at once with Deno's own reader, which holds a buffer of 64 kB for each. */
const MAX_QUICK_READS = 64;

/** The first buffer for a body of unknown length. */
const FIRST_BYTES = 1_024;

const log = getLogger(["mpc", "web"]);

type Bytes = Uint8Array<ArrayBuffer>;

/** A body that has not arrived completely. */
interface Waiting {
  readonly call: WebCall;
  /** When it was first seen to wait; undefined until then, as most bodies are complete at once. */
  since: number | undefined;
  readonly reject: (error: ConnectError) => void;
  reader: ReadableStreamBYOBReader | undefined;
}

/**
 * Reads the bodies of requests. Received bytes count for the peer until the body is complete, and a
 * body that takes too long is given up.
 */
export class BodyReader {
  readonly #timeoutMs: number;
  readonly #maxBytes: number;
  #quickReads = 0;
  /** Incomplete bodies. */
  readonly #waiting = new Set<Waiting>();

  constructor(limits: { readonly timeoutMs: number; readonly maxBytes: number }) {
    this.#timeoutMs = limits.timeoutMs;
    this.#maxBytes = limits.maxBytes;
  }

  /**
   * Reads a whole body.
   * @throws {ConnectError} `MESSAGE_TOO_LARGE`, `BODY_TIMEOUT`, `TOO_MUCH_AT_ONCE`, or CANCELLED
   *   if the caller has gone
   */
  read(request: Request, call: WebCall): Promise<Bytes> {
    const length = Number(request.headers.get("content-length") ?? NaN);
    if (length > this.#maxBytes) return Promise.reject(tooLarge());
    const quick = length <= QUICK_BYTES && this.#quickReads < MAX_QUICK_READS;
    if (quick) this.#quickReads++;
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { call, since: undefined, reject, reader: undefined };
      this.#waiting.add(waiting);
      const done = () => {
        if (quick) this.#quickReads--;
        this.#waiting.delete(waiting);
        call.received();
      };
      const reading = quick
        ? request.arrayBuffer()
        : this.#readSparingly(request, call.peer, length, waiting);
      reading.then((bytes) => {
        done();
        resolve(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));
      }, (error) => {
        done();
        call.closeAfter();
        reject(error instanceof ConnectError ? error : gone(error));
      });
    });
  }

  /** Gives up bodies that take too long. Must be called periodically. */
  sweep(): void {
    const now = performance.now();
    for (const waiting of this.#waiting) {
      const { call, reject, reader } = waiting;
      waiting.since ??= now;
      if (now - waiting.since < this.#timeoutMs) continue;
      call.closeAfter();
      reject(unreadableRequest("BODY_TIMEOUT", "its body did not come in time"));
      if (reader) cancel(reader);
    }
  }

  /** Reads into a buffer that is no larger than the received bytes. */
  async #readSparingly(
    request: Request,
    peer: Peer,
    length: number,
    waiting: Waiting,
  ): Promise<Bytes> {
    const reader = sparingReader(request);
    if (!reader) return new Uint8Array(await request.arrayBuffer());
    waiting.reader = reader;
    let held = 0;
    const hold = (bytes: number) => {
      if (!peer.bytes.take(bytes)) throw tooMuchAtOnce("sends");
      held += bytes;
    };
    try {
      let buffer = new Uint8Array(Math.max(1, Math.min(length || FIRST_BYTES, QUICK_BYTES)));
      hold(buffer.length);
      for (let used = 0;;) {
        const { value, done } = await reader.read(buffer.subarray(used));
        if (done) return value ? new Uint8Array(value.buffer, 0, used) : buffer.subarray(0, used);
        used += value.byteLength;
        buffer = new Uint8Array(value.buffer);
        if (used === length) return buffer;
        if (used < buffer.length) continue;
        if (used > this.#maxBytes) throw tooLarge();
        hold(buffer.length);
        const larger = new Uint8Array(Math.min(2 * buffer.length, length || this.#maxBytes + 1));
        larger.set(buffer);
        buffer = larger;
      }
    } catch (error) {
      cancel(reader);
      throw error;
    } finally {
      peer.bytes.give(held);
    }
  }
}

function cancel(reader: ReadableStreamBYOBReader): void {
  reader.cancel().catch((error) => log.debug("A body has ended already: {error}", { error }));
}

/** A reader into our own buffer; undefined if Deno already has the whole body. */
function sparingReader(request: Request): ReadableStreamBYOBReader | undefined {
  try {
    return request.body?.getReader({ mode: "byob" });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

const tooLarge = () => unreadableRequest("MESSAGE_TOO_LARGE", "it is larger than the server takes");

const gone = (cause: unknown) =>
  new ConnectError("the caller has gone", Code.Canceled, undefined, undefined, cause);

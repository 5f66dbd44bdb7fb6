import { Code, ConnectError } from "@connectrpc/connect";
import type { Peer } from "../connections/peers.ts";
import { unreadableRequest } from "../unreadable_request.ts";
import type { WebCall } from "./web_connections.ts";

/** Bodies up to this size are read in one go. */
const QUICK_BYTES = 64 * 1024;

/** Reads at once by Deno's own reader, which holds a buffer of 64 kB for each. */
const MAX_QUICK_READS = 64;

/** What a body of unknown length is given at first. */
const FIRST_BYTES = 1_024;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Reads the bodies of requests. Bytes that are read count for the peer until the body is complete,
 * and a body that takes too long to come is given up.
 */
export class BodyReader {
  readonly #timeoutMs: number;
  readonly #maxBytes: number;
  #quickReads = 0;
  /** Bodies that are waited for, oldest first. */
  readonly #waiting = new Set<{ readonly since: number; readonly giveUp: () => void }>();

  constructor(limits: { readonly timeoutMs: number; readonly maxBytes: number }) {
    this.#timeoutMs = limits.timeoutMs;
    this.#maxBytes = limits.maxBytes;
  }

  /**
   * Reads a whole body.
   * @throws {ConnectError} `MESSAGE_TOO_LARGE`, `BODY_TIMEOUT`, `TOO_MUCH_AT_ONCE`, or CANCELLED
   *   where the caller has gone
   */
  read(request: Request, { peer, received }: WebCall): Promise<Bytes> {
    const length = Number(request.headers.get("content-length") ?? NaN);
    if (length > this.#maxBytes) return Promise.reject(tooLarge());
    return new Promise((resolve, reject) => {
      const abandoned = new AbortController();
      const waiting = {
        since: performance.now(),
        giveUp: () => {
          abandoned.abort();
          reject(unreadableRequest("BODY_TIMEOUT", "its body did not come in time"));
        },
      };
      this.#waiting.add(waiting);
      const quick = length <= QUICK_BYTES && this.#quickReads < MAX_QUICK_READS;
      if (quick) this.#quickReads++;
      const reading = quick
        ? request.arrayBuffer().then((buffer) => new Uint8Array(buffer))
        : this.#readSparingly(request, peer, length, abandoned.signal);
      const done = () => {
        if (quick) this.#quickReads--;
        this.#waiting.delete(waiting);
        received();
      };
      reading.then((bytes) => {
        done();
        resolve(bytes);
      }, (error) => {
        done();
        reject(error instanceof ConnectError ? error : gone(error));
      });
    });
  }

  /** Gives up bodies that have taken too long; to be called now and then. */
  sweep(): void {
    const latest = performance.now() - this.#timeoutMs;
    for (const { since, giveUp } of this.#waiting) {
      if (since > latest) return;
      giveUp();
    }
  }

  /** Reads into a buffer that is no larger than what has come. */
  async #readSparingly(
    request: Request,
    peer: Peer,
    length: number,
    abandoned: AbortSignal,
  ): Promise<Bytes> {
    const reader = sparingReader(request);
    if (!reader) return new Uint8Array(await request.arrayBuffer());
    abandoned.addEventListener("abort", () => reader.cancel().catch(() => {}));
    let held = 0;
    const hold = (bytes: number) => {
      if (!peer.bytes.take(bytes)) throw tooMuch();
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
      reader.cancel().catch(() => {});
      throw error;
    } finally {
      peer.bytes.give(held);
    }
  }
}

/** A reader into a buffer of ours; undefined where Deno has the whole body already. */
function sparingReader(request: Request): ReadableStreamBYOBReader | undefined {
  try {
    return request.body?.getReader({ mode: "byob" });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

const tooLarge = () => unreadableRequest("MESSAGE_TOO_LARGE", "it is larger than the server takes");

const tooMuch = () =>
  unreadableRequest("TOO_MUCH_AT_ONCE", "its caller sends more at once than the server can hold");

const gone = (cause: unknown) =>
  new ConnectError("the caller has gone", Code.Canceled, undefined, undefined, cause);

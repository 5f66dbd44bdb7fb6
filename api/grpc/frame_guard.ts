/** What the guard does with a connection that goes too far. */
export class FrameLimitExceeded extends Error {}

export interface FrameLimits {
  /** Bytes of one header block: HEADERS and the CONTINUATIONs behind it. */
  readonly maxHeaderBytes: number;
  /** Frames of one kind that cost the server more than the client, in each window. */
  readonly maxControlFrames: number;
  readonly windowMs: number;
}

export const DEFAULT_FRAME_LIMITS: FrameLimits = {
  maxHeaderBytes: 64 * 1024,
  maxControlFrames: 2_000,
  windowMs: 10_000,
};

const PREFACE_BYTES = 24;
const HEAD_BYTES = 9;

/** Frame types (RFC 9113, section 6). */
const HEADERS = 0x1;
const RST_STREAM = 0x3;
const SETTINGS = 0x4;
const PING = 0x6;
const GOAWAY = 0x7;
const CONTINUATION = 0x9;

/**
 * Reads the frame headers of what a client sends and leaves GOAWAY frames out.
 *
 * A server may ignore a client's GOAWAY, and Deno's `node:http2` dies of one that arrives at the
 * wrong moment (denoland/deno#36788). A chunk without a GOAWAY is handed on as it is, without a
 * copy. The frame headers are also where limits are kept that grpc-js lacks.
 */
export class FrameGuard {
  readonly #limits: FrameLimits;
  readonly #now: () => number;
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headFilled = 0;
  #prefaceLeft = PREFACE_BYTES;
  #payloadLeft = 0;
  #dropping = false;
  #headerBytes = 0;
  #windowStart: number;
  readonly #counts = new Map<number, number>();

  constructor(limits: FrameLimits = DEFAULT_FRAME_LIMITS, now: () => number = Date.now) {
    this.#limits = limits;
    this.#now = now;
    this.#windowStart = now();
  }

  /** Whether the connection preface has been seen. */
  get started(): boolean {
    return this.#prefaceLeft === 0;
  }

  /**
   * Passes a chunk on.
   * @returns the chunk itself, or what is left of it around frames that are dropped
   * @throws {FrameLimitExceeded} the connection is to be destroyed
   */
  filter(chunk: Uint8Array): readonly Uint8Array[] {
    const kept: Uint8Array[] = [];
    let keptFrom = 0;
    let at = 0;
    if (this.#prefaceLeft > 0) {
      const taken = Math.min(this.#prefaceLeft, chunk.length);
      this.#prefaceLeft -= taken;
      at = taken;
    }
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= taken;
        at += taken;
        if (this.#dropping) keptFrom = at;
        continue;
      }
      // A frame header begins, or goes on from the chunk before.
      const headStart = at;
      const before = this.#headFilled;
      const taken = Math.min(HEAD_BYTES - before, chunk.length - at);
      this.#head.set(chunk.subarray(at, at + taken), before);
      this.#headFilled += taken;
      at += taken;
      if (this.#headFilled < HEAD_BYTES) {
        // Held back until its type is known: it may belong to a frame that is dropped.
        if (headStart > keptFrom) kept.push(chunk.subarray(keptFrom, headStart));
        return kept;
      }
      this.#headFilled = 0;
      this.#payloadLeft = (this.#head[0]! << 16) | (this.#head[1]! << 8) | this.#head[2]!;
      this.#dropping = this.#head[3] === GOAWAY;
      this.#check(this.#head[3]!, this.#payloadLeft);
      if (this.#dropping) {
        if (headStart > keptFrom) kept.push(chunk.subarray(keptFrom, headStart));
        keptFrom = at;
      } else if (before > 0) {
        // What was held back of this frame's header goes first.
        kept.push(this.#head.slice(0, before));
      }
    }
    if (keptFrom === 0 && kept.length === 0) return [chunk];
    if (keptFrom < chunk.length) kept.push(chunk.subarray(keptFrom));
    return kept;
  }

  #check(type: number, length: number): void {
    if (type === HEADERS || type === CONTINUATION) {
      this.#headerBytes = (type === HEADERS ? 0 : this.#headerBytes) + length;
      if (this.#headerBytes > this.#limits.maxHeaderBytes) {
        throw new FrameLimitExceeded(
          `header block of more than ${this.#limits.maxHeaderBytes} bytes`,
        );
      }
    }
    if (type !== RST_STREAM && type !== SETTINGS && type !== PING && type !== CONTINUATION) return;
    const now = this.#now();
    if (now - this.#windowStart >= this.#limits.windowMs) {
      this.#windowStart = now;
      this.#counts.clear();
    }
    const count = (this.#counts.get(type) ?? 0) + 1;
    this.#counts.set(type, count);
    if (count > this.#limits.maxControlFrames) {
      throw new FrameLimitExceeded(
        `more than ${this.#limits.maxControlFrames} frames of type ${type} in ${this.#limits.windowMs} ms`,
      );
    }
  }
}

import {
  ConnectionState,
  DEFAULT_FRAME_LIMITS,
  type FrameLimits,
  type GuardedCalls,
} from "./connection_state.ts";
import {
  ConnectionError,
  ERROR_CODE,
  FLAG,
  FRAME,
  HEAD_BYTES,
  MAX_HEADER_LIST_SIZE,
  payloadLength,
  PREFACE,
  violation,
  withSetting,
} from "./http2_frames.ts";
import { SentFrames } from "./sent_frames.ts";

const UNLIMITED: GuardedCalls = {
  start: () => true,
  hold: () => true,
  release: () => {},
  refuse: () => {},
};

/**
 * Tracks the state of an HTTP/2 connection by RFC 9113, and passes on only frames that cannot harm
 * the stack behind it, which therefore never sees a connection error.
 *
 * Deno's `node:http2` crashes at a client's GOAWAY that arrives at the wrong moment
 * (denoland/deno#36788), and at an unexpected PING acknowledgement. The guard drops both, as a
 * server may. A chunk from which nothing is dropped is passed on without a copy.
 */
export class FrameGuard {
  readonly #state: ConnectionState;
  readonly #sent: SentFrames;
  readonly #calls: GuardedCalls;
  readonly #maxHeaderListBytes: number;
  readonly #now: () => number;
  #prefaceSeen = 0;
  /** The beginning of an incomplete frame. */
  #partial: Uint8Array<ArrayBuffer> | undefined;
  #partialFilled = 0;
  #partialSince: number | undefined;
  #partialHeld = 0;
  /** The number of bytes of a DATA frame that have not arrived yet. */
  #dataLeft = 0;
  #dataPadded = false;

  constructor(
    limits: FrameLimits = DEFAULT_FRAME_LIMITS,
    calls: GuardedCalls = UNLIMITED,
    now: () => number = () => performance.now(),
  ) {
    this.#calls = calls;
    this.#now = now;
    this.#maxHeaderListBytes = limits.maxHeaderListBytes;
    this.#state = new ConnectionState(limits, calls, now);
    this.#sent = new SentFrames((...frame) => this.#state.onSent(...frame));
  }

  /** Whether the connection preface has been seen: the client's magic and its SETTINGS. */
  get started(): boolean {
    return this.#state.started;
  }

  /** The highest stream that the client has opened. */
  get lastStream(): number {
    return this.#state.lastStream;
  }

  /** Whether a stream has been opened and is closed, for instance because the client has reset it. */
  isClosed(stream: number): boolean {
    return this.#state.isClosed(stream);
  }

  /** Whether the server's last write ended with a complete frame. */
  get betweenSentFrames(): boolean {
    return this.#sent.betweenFrames;
  }

  /**
   * Filters a chunk.
   * @param passed receives the chunk itself, or what is left of it around dropped frames
   * @returns how much of the chunk was consumed. It is less than all if a call or message must wait
   *   for its turn; the rest, which may be empty, must then be passed again in the next turn
   * @throws {ConnectionError} to be reported to the client before closing the connection
   */
  filter(chunk: Uint8Array, passed: Uint8Array[]): number | undefined {
    let at = this.#prefaceSeen < PREFACE.length ? this.#readPreface(chunk) : 0;
    let from = 0;
    for (;;) {
      if (this.#partial) {
        const frame = this.#partial;
        at = this.#fill(frame, chunk, at);
        from = at;
        if (this.#partialFilled < frame.length) return undefined;
        const length = this.#state.checkHead(frame, 0);
        if (frame[3] === FRAME.DATA) {
          if (!this.#state.mayStart(frame, 0)) return at;
          this.#endPartial();
          this.#beginData(frame, 0);
          passed.push(frame);
          continue;
        }
        if (frame.length < HEAD_BYTES + length) {
          this.#holdPartial(length);
          this.#partial = enlarged(frame, HEAD_BYTES + length);
          continue;
        }
        if (!this.#state.mayStart(frame, 0)) return at;
        this.#endPartial();
        if (this.#state.handle(frame, 0, passed)) passed.push(frame);
        continue;
      }
      if (this.#dataLeft > 0) {
        at = this.#skipData(chunk, at);
        if (this.#dataLeft > 0) break;
        continue;
      }
      const rest = chunk.length - at;
      if (rest === 0) break;
      if (rest < HEAD_BYTES) {
        keep(chunk, from, at, passed);
        this.#begin(HEAD_BYTES, chunk, at);
        return undefined;
      }
      const length = this.#state.checkHead(chunk, at);
      if (chunk[at + 3] === FRAME.DATA) {
        if (!this.#state.mayStart(chunk, at)) {
          keep(chunk, from, at, passed);
          return at;
        }
        this.#beginData(chunk, at);
        at += HEAD_BYTES;
        continue;
      }
      if (rest < HEAD_BYTES + length) {
        keep(chunk, from, at, passed);
        this.#begin(HEAD_BYTES + length, chunk, at);
        return undefined;
      }
      if (!this.#state.mayStart(chunk, at)) {
        keep(chunk, from, at, passed);
        return at;
      }
      const next = at + HEAD_BYTES + length;
      // Either a single frame is dropped, or a header block that is passed on once it is complete.
      const pass = this.#state.handle(chunk, at, passed);
      if (!pass) {
        keep(chunk, from, at, passed);
        from = next;
      }
      at = next;
    }
    keep(chunk, from, chunk.length, passed);
    return undefined;
  }

  /**
   * Announces the limit of header fields in the server's first frame, its SETTINGS. The stack would
   * announce it too, but does not answer a call that exceeds it.
   * @param chunk the first one that the server writes
   */
  withLimits(chunk: Uint8Array): Uint8Array {
    return withSetting(chunk, MAX_HEADER_LIST_SIZE, this.#maxHeaderListBytes);
  }

  /** Tracks what the server writes. */
  sent(chunk: Uint8Array): void {
    this.#sent.read(chunk);
  }

  /**
   * Checks for timeouts, and refuses calls whose request takes too long.
   * @throws {ConnectionError} if a frame or a header block takes too long
   */
  checkDeadlines(): void {
    this.#state.checkDeadlines(this.#partialSince);
  }

  /** Gives back what is held for calls, when the connection has closed. */
  close(): void {
    this.#endPartial();
    this.#state.close();
  }

  #readPreface(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length && this.#prefaceSeen < PREFACE.length) {
      if (chunk[at++] !== PREFACE[this.#prefaceSeen++]) violation("no HTTP/2 connection preface");
    }
    return at;
  }

  #begin(length: number, chunk: Uint8Array, at: number): void {
    this.#holdPartial(length);
    this.#partial = new Uint8Array(length);
    this.#partial.set(chunk.subarray(at));
    this.#partialFilled = chunk.length - at;
    this.#partialSince = this.#now();
  }

  #holdPartial(bytes: number): void {
    if (!this.#calls.hold(bytes)) {
      const message = "more frames wait for their end than the peer's share";
      throw new ConnectionError(ERROR_CODE.ENHANCE_YOUR_CALM, message);
    }
    this.#partialHeld += bytes;
  }

  #fill(frame: Uint8Array, chunk: Uint8Array, at: number): number {
    const taken = Math.min(frame.length - this.#partialFilled, chunk.length - at);
    frame.set(chunk.subarray(at, at + taken), this.#partialFilled);
    this.#partialFilled += taken;
    return at + taken;
  }

  #endPartial(): void {
    this.#calls.release(this.#partialHeld);
    this.#partialHeld = 0;
    this.#partial = undefined;
    this.#partialFilled = 0;
    this.#partialSince = undefined;
  }

  #beginData(bytes: Uint8Array, at: number): void {
    this.#state.beginData(bytes, at);
    this.#dataLeft = payloadLength(bytes, at);
    this.#dataPadded = (bytes[at + 4]! & FLAG.PADDED) !== 0;
  }

  #skipData(chunk: Uint8Array, at: number): number {
    if (at === chunk.length) return at;
    if (this.#dataPadded) {
      if (chunk[at]! >= this.#dataLeft) violation("padding that is longer than its frame");
      this.#dataPadded = false;
    }
    const taken = Math.min(this.#dataLeft, chunk.length - at);
    this.#dataLeft -= taken;
    if (this.#dataLeft === 0) this.#state.endData();
    return at + taken;
  }
}

function enlarged(frame: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(frame);
  return larger;
}

function keep(chunk: Uint8Array, from: number, to: number, passed: Uint8Array[]): void {
  if (from === to) return;
  if (from === 0 && to === chunk.length) passed.push(chunk);
  else passed.push(chunk.subarray(from, to));
}

import { type CallStream, CallStreams } from "./call_streams.ts";
import { type BudgetLimits, FrameBudget } from "./frame_budget.ts";
import { HeaderBlocks } from "./header_blocks.ts";
import {
  ConnectionError,
  ERROR_CODE,
  FLAG,
  FRAME,
  HEAD_BYTES,
  INITIAL_WINDOW,
  MAX_FRAME_BYTES,
  MAX_WINDOW,
  PREFACE,
  uint31,
  violation,
} from "./http2_frames.ts";
import { checkLength, checkPriority, checkSettings } from "./frame_rules.ts";
import { SentFrames } from "./sent_frames.ts";

export interface FrameLimits {
  /** Bytes of one header block: HEADERS and the CONTINUATIONs behind it. */
  readonly maxHeaderBytes: number;
  /** Bytes of a call's header fields when decoded. */
  readonly maxHeaderListBytes: number;
  readonly maxContinuations: number;
  readonly maxConcurrentStreams: number;
  /** PINGs, as many as this between two answers of the server; grpc-go sends one for its answers. */
  readonly pings: BudgetLimits;
  /** WINDOW_UPDATEs, as many as this between two answers of the server. */
  readonly windowUpdates: BudgetLimits;
  readonly settings: BudgetLimits;
  /** RST_STREAMs; fewer than nghttp2 takes before it ends the connection by itself. */
  readonly resets: BudgetLimits;
  /** Frames that say nothing: empty DATA, PRIORITY, unknown types. */
  readonly idleFrames: BudgetLimits;
  /** How long a frame or a header block may take from its first byte to its last. */
  readonly frameTimeoutMs: number;
  /** How long a request may take until it is complete, or answered. */
  readonly requestTimeoutMs: number;
}

export const DEFAULT_FRAME_LIMITS: FrameLimits = {
  maxHeaderBytes: 64 * 1024,
  maxHeaderListBytes: 128 * 1024,
  maxContinuations: 8,
  maxConcurrentStreams: 1_000,
  pings: { burst: 100, perSecond: 10 },
  windowUpdates: { burst: 2_000, perSecond: 200 },
  settings: { burst: 100, perSecond: 10 },
  resets: { burst: 900, perSecond: 30 },
  idleFrames: { burst: 1_000, perSecond: 100 },
  frameTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
};

/** What a guard asks of the connection that it guards. */
export interface GuardedCalls {
  /** Starts a call. @returns false where the caller has had its turn, and has to wait for the next */
  start(): boolean;
  /** Counts bytes that are kept for a call. @returns false where the peer has its share already */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  /** Ends a call with an error code of HTTP/2. */
  refuse(stream: number, code: number): void;
}

const UNLIMITED: GuardedCalls = {
  start: () => true,
  hold: () => true,
  release: () => {},
  refuse: () => {},
};

/**
 * Follows the state of an HTTP/2 connection by RFC 9113 and hands on only what cannot harm the
 * stack behind it, which therefore never meets a connection error.
 *
 * Deno's `node:http2` dies of a client's GOAWAY that arrives at the wrong moment
 * (denoland/deno#36788) and of a PING acknowledgement that it did not ask for: both are left out,
 * as a server may do. A chunk from which nothing is left out is handed on without a copy.
 */
export class FrameGuard {
  readonly #limits: FrameLimits;
  readonly #calls: GuardedCalls;
  readonly #now: () => number;
  readonly #streams = new CallStreams();
  readonly #blocks: HeaderBlocks;
  readonly #sent: SentFrames;
  readonly #pings: FrameBudget;
  readonly #windowUpdates: FrameBudget;
  readonly #settings: FrameBudget;
  readonly #resets: FrameBudget;
  readonly #idleFrames: FrameBudget;
  #prefaceSeen = 0;
  #settingsSeen = false;
  /** SETTINGS that the server has sent and the client has not acknowledged. */
  #settingsSent = 0;
  #settingsAcked = false;
  /** PINGs that the server has sent and the client has not answered. */
  readonly #pingsSent: string[] = [];
  #priorities: number | undefined;
  /** A frame of which only the beginning has come. */
  #partial: Uint8Array<ArrayBuffer> | undefined;
  #partialFilled = 0;
  /** HEADERS and CONTINUATIONs of a block that is not complete. */
  #block: Uint8Array[] = [];
  #fragments: Uint8Array[] = [];
  #blockStream = 0;
  #blockBytes = 0;
  /** Since when a frame or a header block waits for its end. */
  #waitingSince: number | undefined;
  /** What is still to come of a DATA frame. */
  #dataLeft = 0;
  #dataPadded = false;
  /** The stream that ends with this frame. */
  #dataEnds: CallStream | undefined;
  /** What the client may still send on the connection, and what the server may. */
  #receiveWindow = INITIAL_WINDOW;
  #sendWindow = INITIAL_WINDOW;

  constructor(
    limits: FrameLimits = DEFAULT_FRAME_LIMITS,
    calls: GuardedCalls = UNLIMITED,
    now: () => number = () => performance.now(),
  ) {
    this.#limits = limits;
    this.#calls = calls;
    this.#now = now;
    this.#blocks = new HeaderBlocks(limits.maxHeaderListBytes);
    const at = now();
    this.#pings = new FrameBudget("pings", limits.pings, at);
    this.#windowUpdates = new FrameBudget("window_updates", limits.windowUpdates, at);
    this.#settings = new FrameBudget("settings", limits.settings, at);
    this.#resets = new FrameBudget("resets", limits.resets, at);
    this.#idleFrames = new FrameBudget("empty_frames", limits.idleFrames, at);
    this.#sent = new SentFrames((...frame) => this.#onSent(...frame));
  }

  /** Whether the connection preface has been seen: the client's magic and its SETTINGS. */
  get started(): boolean {
    return this.#settingsSeen;
  }

  /** The highest stream that the client has opened. */
  get lastStream(): number {
    return this.#streams.last;
  }

  /** Whether what the server has written ends with a whole frame. */
  get betweenSentFrames(): boolean {
    return this.#sent.betweenFrames;
  }

  /**
   * Passes a chunk on.
   * @param passed gets the chunk itself, or what is left of it around frames that are left out
   * @returns how much of the chunk was taken; less than all where a call has to wait for its turn,
   *   and then the rest, which may be empty, is to be passed again in the next one
   * @throws {ConnectionError} the connection is to be told, and closed
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
        const length = this.#checkHead(frame, 0);
        if (frame[3] === FRAME.DATA) {
          this.#endPartial();
          this.#beginData(frame, 0);
          passed.push(frame);
          continue;
        }
        if (frame.length < HEAD_BYTES + length) {
          this.#partial = enlarged(frame, HEAD_BYTES + length);
          continue;
        }
        if (!this.#mayStart(frame, 0)) return at;
        this.#endPartial();
        if (this.#handle(frame, 0, passed)) passed.push(frame);
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
      const length = this.#checkHead(chunk, at);
      if (chunk[at + 3] === FRAME.DATA) {
        this.#beginData(chunk, at);
        at += HEAD_BYTES;
        continue;
      }
      if (rest < HEAD_BYTES + length) {
        keep(chunk, from, at, passed);
        this.#begin(HEAD_BYTES + length, chunk, at);
        return undefined;
      }
      if (!this.#mayStart(chunk, at)) {
        keep(chunk, from, at, passed);
        return at;
      }
      const next = at + HEAD_BYTES + length;
      // What is left out is a frame alone, or a header block that is passed when it is complete.
      const pass = this.#handle(chunk, at, passed);
      if (!pass) {
        keep(chunk, from, at, passed);
        from = next;
      }
      at = next;
    }
    keep(chunk, from, chunk.length, passed);
    return undefined;
  }

  /** Looks at what the server writes. */
  sent(chunk: Uint8Array): void {
    this.#sent.read(chunk);
  }

  /**
   * Looks for what takes too long, and refuses calls whose request does.
   * @throws {ConnectionError} where a frame or a header block does not come to its end
   */
  checkDeadlines(): void {
    const now = this.#now();
    const { frameTimeoutMs, requestTimeoutMs } = this.#limits;
    if (this.#waitingSince !== undefined && now - this.#waitingSince > frameTimeoutMs) {
      throw new ConnectionError(ERROR_CODE.ENHANCE_YOUR_CALM, "a frame that does not end");
    }
    for (const stream of this.#streams.values()) {
      const waits = !stream.clientDone && !stream.serverDone && stream.since >= 0;
      if (waits && now - stream.since > requestTimeoutMs) {
        stream.since = -1;
        this.#calls.refuse(stream.id, ERROR_CODE.ENHANCE_YOUR_CALM);
      }
    }
  }

  /** Gives back what is held for calls; the connection has closed. */
  close(): void {
    for (const stream of this.#streams.values()) this.#release(stream);
  }

  #readPreface(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length && this.#prefaceSeen < PREFACE.length) {
      if (chunk[at++] !== PREFACE[this.#prefaceSeen++]) violation("no HTTP/2 connection preface");
    }
    return at;
  }

  #begin(length: number, chunk: Uint8Array, at: number): void {
    this.#partial = new Uint8Array(length);
    this.#partial.set(chunk.subarray(at));
    this.#partialFilled = chunk.length - at;
    this.#waitingSince ??= this.#now();
  }

  #fill(frame: Uint8Array, chunk: Uint8Array, at: number): number {
    const taken = Math.min(frame.length - this.#partialFilled, chunk.length - at);
    frame.set(chunk.subarray(at, at + taken), this.#partialFilled);
    this.#partialFilled += taken;
    return at + taken;
  }

  #endPartial(): void {
    this.#partial = undefined;
    this.#partialFilled = 0;
    if (this.#blockStream === 0) this.#waitingSince = undefined;
  }

  /** @returns the length of the payload */
  #checkHead(bytes: Uint8Array, at: number): number {
    const length = payloadLength(bytes, at);
    const type = bytes[at + 3]!;
    if (length > MAX_FRAME_BYTES) {
      throw new ConnectionError(
        ERROR_CODE.FRAME_SIZE_ERROR,
        `a frame of ${length} bytes, must be at most ${MAX_FRAME_BYTES}`,
      );
    }
    if (!this.#settingsSeen && (type !== FRAME.SETTINGS || bytes[at + 4]! & FLAG.ACK)) {
      violation("the first frame is not SETTINGS");
    }
    const continues = type === FRAME.CONTINUATION;
    if (continues !== (this.#blockStream !== 0)) {
      violation(continues ? "CONTINUATION without HEADERS" : "a header block is interrupted");
    }
    return length;
  }

  #mayStart(bytes: Uint8Array, at: number): boolean {
    return bytes[at + 3] !== FRAME.HEADERS || !this.#streams.isNew(uint31(bytes, at + 5)) ||
      this.#calls.start();
  }

  /**
   * Follows a frame that is no DATA.
   * @returns whether it is to be passed; a header block is passed when it is complete
   */
  #handle(bytes: Uint8Array, at: number, passed: Uint8Array[]): boolean {
    const length = payloadLength(bytes, at);
    const type = bytes[at + 3];
    const flags = bytes[at + 4]!;
    const stream = uint31(bytes, at + 5);
    const payload = at + HEAD_BYTES;
    switch (type) {
      case FRAME.HEADERS:
        return this.#headers(bytes, at, length, flags, stream);
      case FRAME.CONTINUATION:
        return this.#continuation(bytes, at, length, flags, stream, passed);
      case FRAME.RST_STREAM: {
        checkLength("RST_STREAM", length, 4);
        this.#streams.checkNotIdle(stream, "RST_STREAM");
        this.#resets.spend(this.#now());
        const open = this.#streams.get(stream);
        if (open) this.#release(open);
        this.#streams.resetByClient(stream);
        return open !== undefined;
      }
      case FRAME.SETTINGS:
        if (stream !== 0) violation("SETTINGS for a stream");
        return this.#clientSettings(bytes, payload, length, flags);
      case FRAME.PING:
        if (stream !== 0) violation("PING for a stream");
        checkLength("PING", length, 8);
        if (flags & FLAG.ACK) return this.#isAwaited(bytes.subarray(payload, payload + 8));
        this.#pings.spend(this.#now());
        return true;
      case FRAME.WINDOW_UPDATE:
        return this.#windowUpdate(bytes, payload, length, stream);
      case FRAME.PRIORITY:
        if (stream === 0) violation("PRIORITY for stream 0");
        checkLength("PRIORITY", length, 5);
        checkPriority(bytes, payload, stream);
        break;
      case FRAME.GOAWAY:
        if (stream !== 0) violation("GOAWAY for a stream");
        if (length < 8) checkLength("GOAWAY", length, 8);
        break;
      case FRAME.PUSH_PROMISE:
        violation("PUSH_PROMISE from a client");
    }
    // Priorities, GOAWAY and unknown types: a server may ignore them.
    this.#idleFrames.spend(this.#now());
    return false;
  }

  #headers(bytes: Uint8Array, at: number, length: number, flags: number, id: number): boolean {
    if (id % 2 === 0) violation(`HEADERS for stream ${id}, must be odd`);
    let start = at + HEAD_BYTES;
    let end = start + length;
    if (flags & FLAG.PADDED) {
      if (length < 1) violation("padding without its length");
      end -= bytes[start++]!;
    }
    if (flags & FLAG.PRIORITY) {
      if (start + 5 > end) checkLength("HEADERS", length, 6);
      checkPriority(bytes, start, id);
      start += 5;
    }
    if (start > end) violation("padding that is longer than its frame");
    const now = this.#now();
    if (!this.#streams.isNew(id)) {
      const stream = this.#streams.sending(id, "HEADERS");
      if (stream && flags & FLAG.END_STREAM) this.#streams.endByClient(stream);
    } else {
      if (this.#settingsAcked && this.#streams.size >= this.#limits.maxConcurrentStreams) {
        violation(`more than ${this.#limits.maxConcurrentStreams} streams at once`);
      }
      const stream = this.#streams.open(id, now);
      if (flags & FLAG.END_STREAM) this.#streams.endByClient(stream);
    }
    if (flags & FLAG.END_HEADERS) {
      this.#checkBlock(id, bytes, start, end);
      return true;
    }
    this.#block = [bytes.slice(at, at + HEAD_BYTES + length)];
    this.#fragments = [this.#block[0]!.subarray(start - at, end - at)];
    this.#blockBytes = end - start;
    this.#blockStream = id;
    this.#waitingSince ??= now;
    return false;
  }

  #continuation(
    bytes: Uint8Array,
    at: number,
    length: number,
    flags: number,
    id: number,
    passed: Uint8Array[],
  ): boolean {
    if (id !== this.#blockStream) violation("a header block is interrupted");
    const frame = bytes.slice(at, at + HEAD_BYTES + length);
    this.#block.push(frame);
    this.#fragments.push(frame.subarray(HEAD_BYTES));
    this.#blockBytes += length;
    const { maxHeaderBytes, maxContinuations } = this.#limits;
    if (this.#blockBytes > maxHeaderBytes || this.#block.length > maxContinuations + 1) {
      throw new ConnectionError(
        ERROR_CODE.ENHANCE_YOUR_CALM,
        `a header block of more than ${maxHeaderBytes} bytes or ${maxContinuations} continuations`,
      );
    }
    if (!(flags & FLAG.END_HEADERS)) return false;
    const block = new Uint8Array(this.#blockBytes);
    let filled = 0;
    for (const fragment of this.#fragments) {
      block.set(fragment, filled);
      filled += fragment.length;
    }
    passed.push(...this.#block);
    this.#block = [];
    this.#fragments = [];
    this.#blockStream = 0;
    this.#waitingSince = undefined;
    this.#checkBlock(id, block, 0, block.length);
    return false;
  }

  #checkBlock(id: number, bytes: Uint8Array, start: number, end: number): void {
    const listBytes = this.#blocks.check(bytes, start, end);
    const stream = this.#streams.get(id);
    if (stream) this.#hold(stream, listBytes);
  }

  #clientSettings(bytes: Uint8Array, payload: number, length: number, flags: number): boolean {
    if (flags & FLAG.ACK) {
      checkLength("an acknowledgement of SETTINGS", length, 0);
      if (this.#settingsSent === 0) return false;
      this.#settingsSent--;
      this.#settingsAcked = true;
      return true;
    }
    const { priorities, initialWindows } = checkSettings(bytes, payload, length);
    if (!this.#settingsSeen) this.#priorities = priorities ?? 0;
    else if (priorities !== undefined && priorities !== this.#priorities) {
      violation("SETTINGS change NO_RFC7540_PRIORITIES");
    }
    for (const window of initialWindows) this.#streams.changeWindows(window);
    this.#settingsSeen = true;
    this.#settings.spend(this.#now());
    return true;
  }

  #windowUpdate(bytes: Uint8Array, payload: number, length: number, stream: number): boolean {
    checkLength("WINDOW_UPDATE", length, 4);
    const increment = uint31(bytes, payload);
    if (increment === 0) violation("WINDOW_UPDATE of 0 bytes");
    this.#windowUpdates.spend(this.#now());
    if (stream !== 0) {
      this.#streams.checkNotIdle(stream, "WINDOW_UPDATE");
      const open = this.#streams.get(stream);
      if (!open) return false;
      open.sendWindow += increment;
      if (open.sendWindow <= MAX_WINDOW) return true;
      // nghttp2 would end the stream, and Deno's session would end with an exception.
      this.#calls.refuse(stream, ERROR_CODE.FLOW_CONTROL_ERROR);
      return false;
    }
    this.#sendWindow += increment;
    if (this.#sendWindow > MAX_WINDOW) {
      throw new ConnectionError(
        ERROR_CODE.FLOW_CONTROL_ERROR,
        `a window of more than ${MAX_WINDOW} bytes`,
      );
    }
    return true;
  }

  #beginData(bytes: Uint8Array, at: number): void {
    const length = payloadLength(bytes, at);
    const flags = bytes[at + 4]!;
    const id = uint31(bytes, at + 5);
    if (id === 0) violation("DATA for stream 0");
    this.#dataPadded = (flags & FLAG.PADDED) !== 0;
    if (this.#dataPadded && length < 1) violation("padding without its length");
    const stream = this.#streams.sending(id, "DATA");
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) {
      throw new ConnectionError(
        ERROR_CODE.FLOW_CONTROL_ERROR,
        "more DATA than the connection's window allows",
      );
    }
    if (stream) this.#hold(stream, length);
    this.#dataLeft = length;
    const ends = (flags & FLAG.END_STREAM) !== 0;
    if (length > 0) this.#dataEnds = ends ? stream : undefined;
    else if (!ends) this.#idleFrames.spend(this.#now());
    else if (stream) this.#streams.endByClient(stream);
  }

  #skipData(chunk: Uint8Array, at: number): number {
    if (at === chunk.length) return at;
    if (this.#dataPadded) {
      if (chunk[at]! >= this.#dataLeft) violation("padding that is longer than its frame");
      this.#dataPadded = false;
    }
    const taken = Math.min(this.#dataLeft, chunk.length - at);
    this.#dataLeft -= taken;
    if (this.#dataLeft === 0 && this.#dataEnds) {
      this.#streams.endByClient(this.#dataEnds);
      this.#dataEnds = undefined;
    }
    return at + taken;
  }

  #hold(stream: CallStream, bytes: number): void {
    if (this.#calls.hold(bytes)) stream.heldBytes += bytes;
    else this.#calls.refuse(stream.id, ERROR_CODE.ENHANCE_YOUR_CALM);
  }

  #release(stream: CallStream): void {
    if (stream.heldBytes > 0) this.#calls.release(stream.heldBytes);
    stream.heldBytes = 0;
  }

  /** Whether the server waits for this answer to its PING; answers come in the order of the PINGs. */
  #isAwaited(data: Uint8Array): boolean {
    if (this.#pingsSent[0] === data.join()) {
      this.#pingsSent.shift();
      return true;
    }
    this.#idleFrames.spend(this.#now());
    return false;
  }

  #onSent(type: number, flags: number, id: number, length: number, payload: Uint8Array): void {
    switch (type) {
      case FRAME.DATA:
      case FRAME.HEADERS: {
        if (type === FRAME.DATA) this.#sendWindow -= length;
        // Who gets answers may ask how fast they come, and make room for more.
        this.#pings.reset();
        this.#windowUpdates.reset();
        const stream = this.#streams.get(id);
        if (!stream) return;
        if (type === FRAME.DATA) stream.sendWindow -= length;
        this.#release(stream);
        stream.since = this.#now();
        if (flags & FLAG.END_STREAM) this.#streams.endByServer(stream);
        return;
      }
      case FRAME.RST_STREAM: {
        const stream = this.#streams.get(id);
        if (stream) this.#release(stream);
        this.#streams.resetByServer(id);
        return;
      }
      case FRAME.SETTINGS:
        if (!(flags & FLAG.ACK)) this.#settingsSent++;
        return;
      case FRAME.PING:
        if (!(flags & FLAG.ACK)) this.#pingsSent.push(payload.slice(0, 8).join());
        return;
      case FRAME.WINDOW_UPDATE:
        if (id === 0) this.#receiveWindow += uint31(payload, 0);
    }
  }
}

function payloadLength(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
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

import { type CallStream, CallStreams } from "./call_streams.ts";
import { type BudgetLimits, FrameBudget } from "./frame_budget.ts";
import { checkLength, checkPriority, checkSettings } from "./frame_rules.ts";
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
  payloadLength,
  uint31,
  violation,
} from "./http2_frames.ts";

export interface FrameLimits {
  /** Bytes of one header block: HEADERS and the CONTINUATIONs after it. */
  readonly maxHeaderBytes: number;
  /** The decoded size of a header block's fields. */
  readonly maxDecodedHeaderBytes: number;
  /** The size of a call's header fields; announced, and a larger call is refused. */
  readonly maxHeaderListBytes: number;
  readonly maxContinuations: number;
  readonly maxConcurrentStreams: number;
  /** PINGs between two frames from the server; grpc-go sends one for each response. */
  readonly pings: BudgetLimits;
  /** WINDOW_UPDATEs between two frames from the server. */
  readonly windowUpdates: BudgetLimits;
  readonly settings: BudgetLimits;
  /** RST_STREAMs; fewer than nghttp2 accepts before it ends the connection. */
  readonly resets: BudgetLimits;
  /** Frames without effect: empty DATA, PRIORITY, unknown types. */
  readonly idleFrames: BudgetLimits;
  /** How long a frame or a header block may take from its first byte to its last. */
  readonly frameTimeoutMs: number;
  /** How long a request may take until it is complete, or answered. */
  readonly requestTimeoutMs: number;
}

export const DEFAULT_FRAME_LIMITS: FrameLimits = {
  maxHeaderBytes: 128 * 1024,
  maxDecodedHeaderBytes: 256 * 1024,
  maxHeaderListBytes: 16 * 1024,
  maxContinuations: 8,
  maxConcurrentStreams: 1_000,
  pings: { burst: 100, perSecond: 10 },
  windowUpdates: { burst: 2_000, perSecond: 200 },
  settings: { burst: 100, perSecond: 10 },
  resets: { burst: 500, perSecond: 30 },
  idleFrames: { burst: 1_000, perSecond: 100 },
  frameTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
};

/** What a guard needs from the connection that it guards. */
export interface GuardedCalls {
  /** Starts a call, or a message of one. @returns false if it must wait for the peer's next turn */
  start(): boolean;
  /** Counts bytes that are kept for a call. @returns false if that exceeds the peer's share */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  /** Ends a call with an error code of HTTP/2. */
  refuse(stream: number, code: number): void;
}

/** Header fields are kept by the HTTP/2 stack and by grpc-js, in objects, lists and metadata. */
const HEADER_COPIES = 3;

/** The state of a connection, and what RFC 9113 and the limits allow in this state. */
export class ConnectionState {
  readonly #limits: FrameLimits;
  readonly #calls: GuardedCalls;
  readonly #now: () => number;
  readonly #streams = new CallStreams();
  readonly #blocks: HeaderBlocks;
  readonly #pings: FrameBudget;
  readonly #windowUpdates: FrameBudget;
  readonly #settings: FrameBudget;
  readonly #resets: FrameBudget;
  readonly #idleFrames: FrameBudget;
  #settingsSeen = false;
  /** SETTINGS that the server has sent and the client has not acknowledged. */
  #settingsSent = 0;
  #settingsAcked = false;
  #priorities: number | undefined;
  /** PINGs that the server has sent and the client has not answered. */
  readonly #pingsSent: string[] = [];
  /** HEADERS and CONTINUATIONs of a block that is not complete. */
  #block: Uint8Array[] = [];
  #fragments: Uint8Array[] = [];
  #blockStream = 0;
  #blockBytes = 0;
  /** The bytes counted for the block, including padding. */
  #blockHeld = 0;
  #blockSince: number | undefined;
  /** The stream that ends with the current DATA frame. */
  #dataEnds: CallStream | undefined;
  /** How much the client, and the server, may still send on the connection. */
  #receiveWindow = INITIAL_WINDOW;
  #sendWindow = INITIAL_WINDOW;

  constructor(limits: FrameLimits, calls: GuardedCalls, now: () => number) {
    this.#limits = limits;
    this.#calls = calls;
    this.#now = now;
    this.#blocks = new HeaderBlocks(limits.maxDecodedHeaderBytes);
    const at = now();
    this.#pings = new FrameBudget("pings", limits.pings, at);
    this.#windowUpdates = new FrameBudget("window_updates", limits.windowUpdates, at);
    this.#settings = new FrameBudget("settings", limits.settings, at);
    this.#resets = new FrameBudget("resets", limits.resets, at);
    this.#idleFrames = new FrameBudget("empty_frames", limits.idleFrames, at);
  }

  /** Whether the client's first SETTINGS have been seen. */
  get started(): boolean {
    return this.#settingsSeen;
  }

  /** The highest stream that the client has opened. */
  get lastStream(): number {
    return this.#streams.last;
  }

  /** Whether a stream has been opened and is closed, for instance because the client has reset it. */
  isClosed(stream: number): boolean {
    return this.#streams.isClosed(stream);
  }

  /**
   * Checks what the head of a frame reveals.
   * @returns the length of the payload
   */
  checkHead(bytes: Uint8Array, at: number): number {
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

  /** Whether a frame may be handled now; calls and messages must wait for their turn. */
  mayStart(bytes: Uint8Array, at: number): boolean {
    const type = bytes[at + 3];
    const starts = type === FRAME.HEADERS
      ? this.#streams.isNew(uint31(bytes, at + 5))
      : type === FRAME.DATA && payloadLength(bytes, at) > 0;
    return !starts || this.#calls.start();
  }

  /**
   * Tracks a frame other than DATA.
   * @returns whether to pass it on; a header block is passed on when it is complete
   */
  handle(bytes: Uint8Array, at: number, passed: Uint8Array[]): boolean {
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

  /** Tracks the head of a DATA frame. */
  beginData(bytes: Uint8Array, at: number): void {
    const length = payloadLength(bytes, at);
    const flags = bytes[at + 4]!;
    const id = uint31(bytes, at + 5);
    if (id === 0) violation("DATA for stream 0");
    if (flags & FLAG.PADDED && length < 1) violation("padding without its length");
    const stream = this.#streams.sending(id, "DATA");
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) {
      throw new ConnectionError(
        ERROR_CODE.FLOW_CONTROL_ERROR,
        "more DATA than the connection's window allows",
      );
    }
    if (stream) this.#hold(stream, length);
    const ends = (flags & FLAG.END_STREAM) !== 0;
    if (length > 0) this.#dataEnds = ends ? stream : undefined;
    else if (!ends) this.#idleFrames.spend(this.#now());
    else if (stream) this.#streams.endByClient(stream);
  }

  /** The last byte of a DATA frame has arrived. */
  endData(): void {
    if (this.#dataEnds) this.#streams.endByClient(this.#dataEnds);
    this.#dataEnds = undefined;
  }

  /** Tracks a frame that the server sends. */
  onSent(type: number, flags: number, id: number, length: number, payload: Uint8Array): void {
    switch (type) {
      case FRAME.DATA:
      case FRAME.HEADERS: {
        if (type === FRAME.DATA) this.#sendWindow -= length;
        // A client that receives frames may send as many PINGs and WINDOW_UPDATEs as it likes for
        // them.
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

  /**
   * Checks for timeouts, and refuses calls whose request takes too long.
   * @param frameSince since when a frame is incomplete
   * @throws {ConnectionError} if a frame or a header block takes too long
   */
  checkDeadlines(frameSince: number | undefined): void {
    const now = this.#now();
    const { frameTimeoutMs, requestTimeoutMs } = this.#limits;
    if (now - (this.#blockSince ?? frameSince ?? now) > frameTimeoutMs) {
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

  /** Gives back what is held for calls, when the connection has closed. */
  close(): void {
    for (const stream of this.#streams.values()) this.#release(stream);
    this.#releaseBlock();
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
    this.#holdBlock(length);
    this.#block = [bytes.slice(at, at + HEAD_BYTES + length)];
    this.#fragments = [this.#block[0]!.subarray(start - at, end - at)];
    this.#blockBytes = end - start;
    this.#blockStream = id;
    this.#blockSince = now;
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
    this.#holdBlock(length);
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
    this.#releaseBlock();
    this.#block = [];
    this.#fragments = [];
    this.#blockStream = 0;
    this.#blockSince = undefined;
    this.#checkBlock(id, block, 0, block.length);
    return false;
  }

  #checkBlock(id: number, bytes: Uint8Array, start: number, end: number): void {
    const listBytes = this.#blocks.check(bytes, start, end);
    const stream = this.#streams.get(id);
    if (!stream) return;
    if (listBytes <= this.#limits.maxHeaderListBytes) this.#hold(stream, listBytes * HEADER_COPIES);
    else this.#calls.refuse(id, ERROR_CODE.ENHANCE_YOUR_CALM);
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

  #holdBlock(bytes: number): void {
    if (!this.#calls.hold(bytes)) {
      const message = "more header blocks wait for their end than the peer's share";
      throw new ConnectionError(ERROR_CODE.ENHANCE_YOUR_CALM, message);
    }
    this.#blockHeld += bytes;
  }

  #releaseBlock(): void {
    this.#calls.release(this.#blockHeld);
    this.#blockHeld = 0;
  }

  #hold(stream: CallStream, bytes: number): void {
    if (this.#calls.hold(bytes)) stream.heldBytes += bytes;
    else this.#calls.refuse(stream.id, ERROR_CODE.ENHANCE_YOUR_CALM);
  }

  #release(stream: CallStream): void {
    if (stream.heldBytes > 0) this.#calls.release(stream.heldBytes);
    stream.heldBytes = 0;
  }

  /**
   * Whether the server waits for this PING acknowledgement; they arrive in the order of the PINGs.
   */
  #isAwaited(data: Uint8Array): boolean {
    if (this.#pingsSent[0] === data.join()) {
      this.#pingsSent.shift();
      return true;
    }
    this.#idleFrames.spend(this.#now());
    return false;
  }
}

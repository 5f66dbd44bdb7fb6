import {
  ConnectionError,
  ERROR_CODE,
  INITIAL_WINDOW,
  MAX_WINDOW,
  violation,
} from "./http2_frames.ts";

/**
 * Streams that the server has reset while the client may not know it yet; the oldest are dropped.
 */
const REMEMBERED_RESETS = 256;

/** A stream that is not closed. */
export interface CallStream {
  readonly id: number;
  clientDone: boolean;
  serverDone: boolean;
  /** Bytes of the request that arrived since the server last sent something. */
  heldBytes: number;
  /** How many bytes the server may still send. */
  sendWindow: number;
  /** When the request began, or when the server last sent something. */
  since: number;
}

/** The states of a connection's streams (RFC 9113, section 5.1), as seen between both sides. */
export class CallStreams {
  readonly #open = new Map<number, CallStream>();
  readonly #reset = new Set<number>();
  #last = 0;
  #skippedFrom = 0;
  /** How many bytes the server may send on a new stream. */
  #initialWindow = INITIAL_WINDOW;

  /** The highest stream that the client has opened. */
  get last(): number {
    return this.#last;
  }

  /** Whether the client has opened this stream, and it has been reset or ended by both sides. */
  isClosed(id: number): boolean {
    return id <= this.#last && !this.#open.has(id);
  }

  get size(): number {
    return this.#open.size;
  }

  get(id: number): CallStream | undefined {
    return this.#open.get(id);
  }

  values(): IterableIterator<CallStream> {
    return this.#open.values();
  }

  /**
   * Changes how much the server may send on every stream (RFC 9113, section 6.9.2).
   * @throws {ConnectionError} FLOW_CONTROL_ERROR if a window becomes too large
   */
  changeWindows(initialWindow: number): void {
    const difference = initialWindow - this.#initialWindow;
    this.#initialWindow = initialWindow;
    for (const stream of this.#open.values()) {
      stream.sendWindow += difference;
      if (stream.sendWindow > MAX_WINDOW) {
        const message = `a window of more than ${MAX_WINDOW} bytes`;
        throw new ConnectionError(ERROR_CODE.FLOW_CONTROL_ERROR, message);
      }
    }
  }

  /** Whether HEADERS on this stream open it. */
  isNew(id: number): boolean {
    return id > this.#last;
  }

  open(id: number, now: number): CallStream {
    this.#skippedFrom = this.#last;
    this.#last = id;
    const stream = {
      id,
      clientDone: false,
      serverDone: false,
      heldBytes: 0,
      sendWindow: this.#initialWindow,
      since: now,
    };
    this.#open.set(id, stream);
    return stream;
  }

  /** @throws {ConnectionError} PROTOCOL_ERROR if the client never opened the stream */
  checkNotIdle(id: number, frame: string): void {
    if (id > this.#last || id % 2 === 0) violation(`${frame} for stream ${id}, which is idle`);
  }

  /**
   * The stream on which a client continues to send; undefined if the server has reset it.
   * @throws {ConnectionError} STREAM_CLOSED if the client has ended it
   */
  sending(id: number, frame: string): CallStream | undefined {
    this.checkNotIdle(id, frame);
    const stream = this.#open.get(id);
    if (stream && !stream.clientDone) return stream;
    if (this.#reset.has(id)) return undefined;
    if (!stream && id > this.#skippedFrom && id < this.#last) {
      violation(`${frame} for stream ${id}, which was skipped`);
    }
    throw new ConnectionError(
      ERROR_CODE.STREAM_CLOSED,
      `${frame} for stream ${id}, which the client has ended`,
    );
  }

  /** @returns whether the stream is closed now */
  endByClient(stream: CallStream): boolean {
    stream.clientDone = true;
    return stream.serverDone && this.#open.delete(stream.id);
  }

  /** @returns whether the stream is closed now */
  endByServer(stream: CallStream): boolean {
    stream.serverDone = true;
    return stream.clientDone && this.#open.delete(stream.id);
  }

  resetByClient(id: number): void {
    this.#open.delete(id);
    this.#reset.delete(id);
  }

  resetByServer(id: number): void {
    const stream = this.#open.get(id);
    if (!stream) return;
    this.#open.delete(id);
    if (stream.clientDone) return;
    this.#reset.add(id);
    if (this.#reset.size > REMEMBERED_RESETS) {
      for (const oldest of this.#reset) {
        this.#reset.delete(oldest);
        break;
      }
    }
  }
}

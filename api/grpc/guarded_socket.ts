import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { FrameGuard } from "./frame_guard.ts";
import { ConnectionError, ERROR_CODE, goaway } from "./http2_frames.ts";

/** How long a client may take to read why its connection ends. */
const LINGER_MS = 1_000;
/** How much such a client may still send. */
const LINGER_BYTES = 1024 * 1024;

/** What a guarded socket needs from its connection. */
export interface Backlog {
  /** Counts waiting bytes. @returns false if that exceeds the peer's share */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  /** Calls back in the peer's next turn. */
  nextTurn(callback: () => void): void;
}

const NO_BACKLOG: Backlog = {
  hold: () => true,
  release: () => {},
  nextTurn: (callback) => callback(),
};

/** A socket with a frame guard, which filters what is read and tracks what is written. */
export class GuardedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #guard: FrameGuard;
  readonly #backlog: Backlog;
  /** Bytes that were read and wait for the peer's next turn. */
  #waiting: Uint8Array | undefined;
  /** Whether the reader has stopped accepting data. */
  #full = false;
  #lingers = false;
  #lingerBytes = 0;
  #settingsSent = false;
  /** Since when a write waits for the client to read. */
  #writingSince: number | undefined;

  constructor(socket: Socket, guard: FrameGuard, backlog: Backlog = NO_BACKLOG) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#guard = guard;
    this.#backlog = backlog;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("end", () => this.push(null));
    socket.on("error", (error: Error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  setNoDelay(noDelay?: boolean): this {
    this.#socket.setNoDelay(noDelay);
    return this;
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this.#socket.setKeepAlive(enable, initialDelay);
    return this;
  }

  setTimeout(ms: number, callback?: () => void): this {
    this.#socket.setTimeout(ms, callback);
    return this;
  }

  ref(): this {
    this.#socket.ref();
    return this;
  }

  unref(): this {
    this.#socket.unref();
    return this;
  }

  /** Since when a write waits for the client to read; undefined if none does. */
  get writingSince(): number | undefined {
    return this.#writingSince;
  }

  /** Tells the client why the connection ends, and ends it. */
  fail(error: Error): void {
    if (this.destroyed) return;
    if (error instanceof ConnectionError && this.#guard.betweenSentFrames) {
      this.#lingers = true;
      this.#socket.end(goaway(this.#guard.lastStream, error));
      // A client that is still sending would otherwise get a reset before it reads the GOAWAY.
      this.#socket.resume();
      const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS);
      this.#socket.once("end", () => this.#socket.destroy());
      this.#socket.once("close", () => clearTimeout(timer));
    }
    this.destroy(error);
  }

  #read(chunk: Uint8Array): void {
    if (this.#lingers) {
      this.#lingerBytes += chunk.length;
      if (this.#lingerBytes > LINGER_BYTES) this.#socket.destroy();
      return;
    }
    if (this.destroyed) return;
    if (this.#waiting) {
      // Data that was read although the socket was paused.
      const waiting = this.#takeWaiting();
      const joined = new Uint8Array(waiting.length + chunk.length);
      joined.set(waiting);
      joined.set(chunk, waiting.length);
      this.#wait(joined);
      return;
    }
    const passed: Uint8Array[] = [];
    try {
      const taken = this.#guard.filter(chunk, passed);
      for (const part of passed) if (!this.push(part)) this.#full = true;
      if (taken !== undefined) {
        this.#wait(chunk.subarray(taken));
        this.#backlog.nextTurn(() => this.#continue());
      }
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (this.#full || this.#waiting) this.#socket.pause();
  }

  #wait(rest: Uint8Array): void {
    if (!this.#backlog.hold(rest.length)) {
      throw new ConnectionError(ERROR_CODE.ENHANCE_YOUR_CALM, "more waits than the peer's share");
    }
    // A small rest must not keep the whole buffer in memory.
    this.#waiting = rest.length < rest.buffer.byteLength / 2 ? rest.slice() : rest;
  }

  #takeWaiting(): Uint8Array {
    const waiting = this.#waiting ?? new Uint8Array();
    this.#backlog.release(waiting.length);
    this.#waiting = undefined;
    return waiting;
  }

  #continue(): void {
    if (this.destroyed) return;
    this.#read(this.#takeWaiting());
    if (!this.destroyed && !this.#waiting && !this.#full) this.#socket.resume();
  }

  override _read(): void {
    this.#full = false;
    if (!this.#waiting) this.#socket.resume();
  }

  override _write(
    chunk: Buffer,
    _encoding: string,
    callback: (error?: Error | null) => void,
  ): void {
    const sent = this.#settingsSent ? chunk : this.#guard.withLimits(chunk);
    this.#settingsSent = true;
    this.#guard.sent(sent);
    if (this.#socket.write(sent)) {
      callback();
      return;
    }
    this.#writingSince = performance.now();
    this.#socket.once("drain", () => {
      this.#writingSince = undefined;
      callback();
    });
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.#lingers) callback();
    else this.#socket.end(() => callback());
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#waiting) this.#takeWaiting();
    if (!this.#lingers) this.#socket.destroy();
    callback(error);
  }
}

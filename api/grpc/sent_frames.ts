import { FRAME, HEAD_BYTES } from "./http2_frames.ts";

/** The largest payload of interest: the data of a PING. */
const PAYLOAD_BYTES = 8;

/** Receives each frame; `payload` contains up to its first eight bytes, unless it is DATA. */
type OnFrame = (
  type: number,
  flags: number,
  stream: number,
  length: number,
  payload: Uint8Array,
) => void;

/** Parses the heads of the frames that a server writes, however its writes are split. */
export class SentFrames {
  readonly #onFrame: OnFrame;
  /** The head of a frame, and the beginning of its payload. */
  readonly #bytes = new Uint8Array(HEAD_BYTES + PAYLOAD_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #filled = 0;
  #wanted = HEAD_BYTES;
  #length = 0;
  /** Remaining bytes of a payload that are skipped. */
  #skip = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** Whether the last frame is complete. */
  get betweenFrames(): boolean {
    return this.#filled === 0 && this.#skip === 0;
  }

  read(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const taken = Math.min(this.#skip, chunk.length - at);
        this.#skip -= taken;
        at += taken;
        continue;
      }
      while (this.#filled < this.#wanted && at < chunk.length) {
        this.#bytes[this.#filled++] = chunk[at++]!;
      }
      if (this.#filled < this.#wanted) return;
      if (this.#filled === HEAD_BYTES) {
        this.#length = this.#view.getUint32(0) >>> 8;
        const looked = this.#bytes[3] === FRAME.DATA ? 0 : Math.min(this.#length, PAYLOAD_BYTES);
        this.#wanted = HEAD_BYTES + looked;
        if (looked > 0) continue;
      }
      this.#skip = this.#length - (this.#filled - HEAD_BYTES);
      this.#filled = 0;
      this.#wanted = HEAD_BYTES;
      const stream = this.#view.getUint32(5);
      this.#onFrame(
        this.#bytes[3]!,
        this.#bytes[4]!,
        stream,
        this.#length,
        this.#bytes.subarray(HEAD_BYTES),
      );
    }
  }
}

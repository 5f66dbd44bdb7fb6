/** The size of the head of each message of a stream: flags, and the length in four bytes. */
export const HEAD_BYTES = 5;
const COMPRESSED_FLAG = 1;

/** The contents of a body of messages in envelopes. */
export interface Envelopes {
  readonly count: number;
  /** Whether the last message ends with the body. */
  readonly whole: boolean;
  /** Whether a message is flagged as compressed. */
  readonly compressed: boolean;
  /** Whether a message has other flags. */
  readonly flagged: boolean;
}

/** Counts the messages of a body. */
export function readEnvelopes(body: Uint8Array): Envelopes {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let count = 0;
  let flags = 0;
  let at = 0;
  for (; at + HEAD_BYTES <= body.length; count++) {
    flags |= body[at]!;
    at += HEAD_BYTES + view.getUint32(at + 1);
  }
  return {
    count,
    whole: at === body.length,
    compressed: (flags & COMPRESSED_FLAG) !== 0,
    flagged: (flags & ~COMPRESSED_FLAG) !== 0,
  };
}

/** Wraps bytes in an envelope. */
export function enveloped(flags: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(HEAD_BYTES + bytes.length);
  result[0] = flags;
  new DataView(result.buffer).setUint32(1, bytes.length);
  result.set(bytes, HEAD_BYTES);
  return result;
}

/** The size of the head of each message of a stream: flags, and the length in four bytes. */
export const HEAD_BYTES = 5;

/** Whether a body is a single uncompressed message in an envelope. */
export function isSingleMessage(body: Uint8Array): boolean {
  if (body.length < HEAD_BYTES || body[0] !== 0) return false;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(1);
  return length === body.length - HEAD_BYTES;
}

/** Wraps bytes in an envelope. */
export function enveloped(flags: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(HEAD_BYTES + bytes.length);
  result[0] = flags;
  new DataView(result.buffer).setUint32(1, bytes.length);
  result.set(bytes, HEAD_BYTES);
  return result;
}

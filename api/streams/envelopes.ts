import {
  type DescMessage,
  type MessageShape,
  type Registry,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { enveloped } from "../web/envelope.ts";

type Message = MessageShape<DescMessage>;
type Bytes = Uint8Array<ArrayBuffer>;

/** Encodes a message with the head that gRPC, gRPC-Web and Connect put before it in a stream. */
export type ToEnvelope = (output: DescMessage, message: Message) => Bytes;

const encoder = new TextEncoder();

/** Binary envelopes. A message that is sent to many streams is encoded once. */
export const binaryEnvelope: ToEnvelope = once(toBinary);

/**
 * JSON envelopes, likewise.
 * @param registry the types that an `Any` may hold
 */
export const jsonEnvelopes = (registry: Registry): ToEnvelope =>
  once((output, message) => encoder.encode(toJsonString(output, message, { registry })));

function once(encode: (output: DescMessage, message: Message) => Uint8Array): ToEnvelope {
  const known = new WeakMap<Message, Bytes>();
  return (output, message) => {
    const earlier = known.get(message);
    if (earlier) return earlier;
    const bytes = enveloped(0, encode(output, message));
    known.set(message, bytes);
    return bytes;
  };
}

/** How many chunks are kept for streams that will write the same messages. */
const KEPT_CHUNKS = 8;

const chunks: { readonly envelopes: readonly Bytes[]; readonly bytes: Bytes }[] = [];

/** Joins envelopes into one chunk. Streams that write the same messages share one. */
export function joined(envelopes: readonly Bytes[]): Bytes {
  if (envelopes.length === 1) return envelopes[0]!;
  const known = chunks.find((chunk) =>
    chunk.envelopes.length === envelopes.length &&
    chunk.envelopes.every((envelope, index) => envelope === envelopes[index])
  );
  if (known) return known.bytes;
  const bytes = new Uint8Array(envelopes.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of envelopes) {
    bytes.set(part, at);
    at += part.length;
  }
  chunks.push({ envelopes, bytes });
  if (chunks.length > KEPT_CHUNKS) chunks.shift();
  return bytes;
}

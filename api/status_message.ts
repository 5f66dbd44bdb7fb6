import { create, type MessageShape } from "@bufbuild/protobuf";
import { anyPack, AnySchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { StatusSchema } from "@mpc/proto";

/** Bytes of a message as a header carries it. */
const MAX_MESSAGE_BYTES = 1_000;

/**
 * A failed call's status with its details, as `grpc-status-details-bin` carries it, its message
 * short enough for a header.
 */
export function statusMessage(error: unknown): MessageShape<typeof StatusSchema> {
  const { code, rawMessage, details } = ConnectError.from(error);
  return create(StatusSchema, {
    code,
    message: cutText(rawMessage, MAX_MESSAGE_BYTES, (text) => grpcMessage(text).length),
    details: details.map((detail) =>
      "desc" in detail
        ? anyPack(detail.desc, create(detail.desc, detail.value))
        : create(AnySchema, { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value })
    ),
  });
}

/**
 * A message as the header `grpc-message` carries it: only what is not printable ASCII, and `%`, is
 * percent-encoded ("gRPC over HTTP2", Responses). Clients decode no more than that.
 */
export const grpcMessage = (message: string): string =>
  message.toWellFormed().replace(/[^ -$&-~]+/g, encodeURIComponent);

/** The longest beginning of a text that is within a size, with a mark where the rest is cut. */
export function cutText(text: string, maxSize: number, sizeOf: (text: string) => number): string {
  if (sizeOf(text) <= maxSize) return text;
  let fits = 0;
  let tooMuch = Math.min(text.length, maxSize);
  while (tooMuch - fits > 1) {
    const middle = (fits + tooMuch) >> 1;
    if (sizeOf(cut(text, middle)) <= maxSize) fits = middle;
    else tooMuch = middle;
  }
  return cut(text, fits);
}

const cut = (text: string, length: number): string =>
  `${text.slice(0, length).toWellFormed()}... (${text.length - length} more characters)`;

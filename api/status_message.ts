import { create, type MessageShape } from "@bufbuild/protobuf";
import { anyPack, AnySchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { StatusSchema } from "@mpc/proto";

/** The maximum size of a message in a header. */
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
 * Encodes a message for the header `grpc-message`: only `%` and characters other than printable
 * ASCII are percent-encoded ("gRPC over HTTP2", Responses), because clients decode no more than
 * that.
 */
export const grpcMessage = (message: string): string =>
  message.toWellFormed().replace(/[^ -$&-~]+/g, encodeURIComponent);

/** The longest beginning of a text that fits into a size, with a mark if the rest is cut. */
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

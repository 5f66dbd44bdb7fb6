import { create, type MessageShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { StatusSchema } from "@mpc/proto";

/** The status of a failed call with its details, for `grpc-status-details-bin`. */
export function statusMessage(error: unknown): MessageShape<typeof StatusSchema> {
  const { code, rawMessage, details } = ConnectError.from(error);
  return create(StatusSchema, {
    code,
    message: rawMessage,
    details: details.flatMap((detail) =>
      "desc" in detail ? [anyPack(detail.desc, create(detail.desc, detail.value))] : []
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

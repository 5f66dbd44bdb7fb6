import { create, type MessageShape } from "@bufbuild/protobuf";
import { anyPack, AnySchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { StatusSchema } from "@mpc/proto";

/** A failed call's status with its details, as `grpc-status-details-bin` carries it. */
export function statusMessage(error: unknown): MessageShape<typeof StatusSchema> {
  const { code, rawMessage, details } = ConnectError.from(error);
  return create(StatusSchema, {
    code,
    message: rawMessage,
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

import { Buffer } from "node:buffer";
import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import { StatusSchema } from "@mpc/proto";

/** The status of a failed call, its details in `grpc-status-details-bin`. */
export function statusOf(error: unknown): StatusObject {
  const { code, rawMessage, details } = ConnectError.from(error);
  const metadata = new Metadata();
  const status = create(StatusSchema, {
    code,
    message: rawMessage,
    details: details.flatMap((detail) =>
      "desc" in detail ? [anyPack(detail.desc, create(detail.desc, detail.value))] : []
    ),
  });
  metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, status)));
  return { code: toStatus(code), details: rawMessage, metadata };
}

/** Connect's codes are gRPC's numbers. */
function toStatus(code: number): Status {
  return code in Status ? code : Status.UNKNOWN;
}

import { Buffer } from "node:buffer";
import { toBinary } from "@bufbuild/protobuf";
import { Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import { StatusSchema } from "@mpc/proto";
import { statusMessage } from "../status_message.ts";

/** The status of a failed call, its details in `grpc-status-details-bin`. */
export function statusOf(error: unknown): StatusObject {
  const message = statusMessage(error);
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, message)));
  return { code: toStatus(message.code), details: message.message, metadata };
}

/** Connect's codes are gRPC's numbers. */
function toStatus(code: number): Status {
  return code in Status ? code : Status.UNKNOWN;
}

import { Buffer } from "node:buffer";
import { toBinary } from "@bufbuild/protobuf";
import { Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import { StatusSchema } from "@mpc/proto";
import { statusMessage } from "../status_message.ts";

/** The metadata key of a status's details. */
export const DETAILS = "grpc-status-details-bin";

/** The status of a failed call, with its details in {@linkcode DETAILS}. */
export function statusOf(error: unknown): StatusObject {
  const message = statusMessage(error);
  const metadata = new Metadata();
  metadata.set(DETAILS, Buffer.from(toBinary(StatusSchema, message)));
  return { code: toStatus(message.code), details: message.message, metadata };
}

/** Connect's codes have the same numbers as gRPC's. */
function toStatus(code: number): Status {
  return code in Status ? code : Status.UNKNOWN;
}

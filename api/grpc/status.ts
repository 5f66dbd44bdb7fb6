import { Buffer } from "node:buffer";
import { toBinary } from "@bufbuild/protobuf";
import { Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import { ConnectError } from "@connectrpc/connect";
import { StatusSchema } from "@mpc/proto";
import { statusMessage } from "../status_message.ts";
import { metadataOf } from "./wire_metadata.ts";

/** The metadata key of a status's details. */
export const DETAILS = "grpc-status-details-bin";

/**
 * The status of a failed call, with its details in {@linkcode DETAILS}.
 * @param trailer the trailers that the method has set
 */
export function statusOf(error: unknown, trailer?: Metadata): StatusObject {
  const message = statusMessage(error);
  const metadata = trailer ?? new Metadata();
  if (error instanceof ConnectError) {
    const own = metadataOf(error.metadata);
    if (own) metadata.merge(own);
  }
  metadata.set(DETAILS, Buffer.from(toBinary(StatusSchema, message)));
  return { code: toStatus(message.code), details: message.message, metadata };
}

/** Connect's codes have the same numbers as gRPC's. */
function toStatus(code: number): Status {
  return code in Status ? code : Status.UNKNOWN;
}

import { Buffer } from "node:buffer";
import { toBinary } from "@bufbuild/protobuf";
import { Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import { ConnectError } from "@connectrpc/connect";
import { StatusSchema } from "@mpc/proto";
import { statusMessage } from "../status_message.ts";
import { metadataOf } from "./wire_metadata.ts";

/** Where a status carries its details. */
export const DETAILS = "grpc-status-details-bin";

/**
 * The status of a failed call, its details in {@linkcode DETAILS}.
 * @param trailer what the method has set to be sent with it
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

/** Connect's codes are gRPC's numbers. */
function toStatus(code: number): Status {
  return code in Status ? code : Status.UNKNOWN;
}

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { MpcError } from "@mpc/domain";
import { toApiError } from "../error_codes.ts";
import { grpcMessage } from "../status_message.ts";
import { statusOf } from "./status.ts";
import { WireMetadata } from "./wire_metadata.ts";

const CONTENT_TYPE = /^application\/grpc(\+proto)?(;|$)/;

/**
 * Answers requests that no call is to be made of; grpc-js takes any method of HTTP and any encoding
 * of messages, and says no reason where a method is unknown.
 * @param paths of all methods
 * @returns the headers of the whole answer; undefined where the request is a call
 */
export function refuseRequest(
  paths: ReadonlySet<string>,
): (headers: IncomingHttpHeaders) => OutgoingHttpHeaders | undefined {
  return (headers) => {
    if (headers[":method"] !== "POST") return { ":status": 405, allow: "POST" };
    if (!CONTENT_TYPE.test(headers["content-type"] ?? "")) return { ":status": 415 };
    const path = headers[":path"] ?? "";
    return paths.has(path) ? undefined : unknownMethod(path);
  };
}

/** How much of an unknown path is repeated in the error. */
const MAX_PATH = 200;

function unknownMethod(path: string): OutgoingHttpHeaders {
  const message = `Cannot call '${path.slice(0, MAX_PATH)}': the server has no such method`;
  const error = new MpcError("UNIMPLEMENTED", { reason: "UNKNOWN_METHOD", message });
  const { code, details, metadata } = statusOf(toApiError(error));
  return WireMetadata.of(metadata, {
    ":status": 200,
    "content-type": "application/grpc",
    "grpc-status": code,
    "grpc-message": grpcMessage(details),
  }).toHttp2Headers();
}

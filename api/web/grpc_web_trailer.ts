import { ConnectError, encodeBinaryHeader } from "@connectrpc/connect";
import { StatusSchema } from "@mpc/proto";
import { grpcMessage, statusMessage } from "../status_message.ts";
import { enveloped } from "./envelope.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const TRAILER_FLAG = 0x80;
const encoder = new TextEncoder();

/**
 * The end of a successful gRPC-Web response ("PROTOCOL-WEB", gRPC documentation).
 * @param own trailers that the method has set
 */
export function okTrailer(own?: Headers): Bytes {
  return trailerOf(["grpc-status: 0"], own ?? []);
}

/** The end of a gRPC-Web response whose call failed. @param own trailers that the method has set */
export function failedTrailer(error: unknown, own?: Headers): Bytes {
  const status = statusMessage(error);
  const lines = [
    `grpc-status: ${status.code}`,
    `grpc-message: ${grpcMessage(status.message)}`,
    `grpc-status-details-bin: ${encodeBinaryHeader(status, StatusSchema)}`,
  ];
  const trailers = new Headers(own);
  if (error instanceof ConnectError) {
    error.metadata.forEach((value, name) => trailers.append(name, value));
  }
  return trailerOf(lines, trailers);
}

function trailerOf(lines: readonly string[], own: Iterable<[string, string]>): Bytes {
  const all = [...lines, ...[...own].map(([name, value]) => `${name}: ${value}`)];
  return enveloped(TRAILER_FLAG, encoder.encode(`${all.join("\r\n")}\r\n`));
}

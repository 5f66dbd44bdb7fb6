import { Code, ConnectError, encodeBinaryHeader } from "@connectrpc/connect";
import { codeToHttpStatus, errorToJson } from "@connectrpc/connect/protocol-connect";
import { errorFor, type ErrorReason } from "@mpc/domain";
import { type Address, formatAddress } from "@mpc/process";
import { StatusSchema } from "@mpc/proto";
import { toApiError } from "../error_codes.ts";
import { grpcMessage, statusMessage } from "../status_message.ts";

/** An error in the form of Connect's unary calls; other clients act on the HTTP status. */
export function refusal(
  error: ConnectError,
  { status = codeToHttpStatus(error.code), headers = {} }: {
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Response {
  return Response.json(errorToJson(error, undefined), { status, headers });
}

/** The response to a path without a method. */
export function unknownPath(path: string): Response {
  return refusal(unknownMethod(path), { status: 404 });
}

/** The error of a call to a path without a method. */
export function unknownMethod(path: string): ConnectError {
  const message = path === "/"
    ? "This is the API of the mini platform control plane; use mpctl, or POST as /openapi.json says"
    : `There is nothing at '${path.slice(0, 300)}'`;
  return errorOf("UNKNOWN_METHOD", message);
}

/** The response to a request for a host that is not ours (RFC 9110, section 15.5.20). */
export function unknownHost(authority: string): Response {
  const message = `Cannot serve the host '${authority.slice(0, 300)}': it must be localhost, ` +
    "the address that the server listens on, or a host given by --allowed-host";
  return refusal(errorOf("HOST_NOT_ALLOWED", message), { status: 421 });
}

/** The response to a web page of a host that is not ours. */
export function unknownOrigin(origin: string): Response {
  const message = `Cannot serve a page of '${origin.slice(0, 300)}': its host must be localhost, ` +
    "the address that the server listens on, or a host given by --allowed-host";
  return refusal(errorOf("ORIGIN_NOT_ALLOWED", message));
}

/** The response to a peer with too many running calls; created once, because it is sent often. */
export const tooManyCalls: () => Response = (() => {
  const message = "Cannot take the call: its caller has too many running calls";
  const error = errorOf("TOO_MANY_CALLS", message);
  const text = JSON.stringify(errorToJson(error, undefined));
  const init = { status: 429, headers: { "content-type": "application/json" } };
  return () => new Response(text, init);
})();

/** The response to a call that arrives during shutdown. */
export function shuttingDown(): Response {
  const message = "Cannot take the call: the server is shutting down";
  const error = errorOf("SHUTTING_DOWN", message);
  return refusal(error, { headers: { connection: "close" } });
}

/**
 * Tells a gRPC client where gRPC is served. The client expects a status in trailers, which this
 * door cannot send, but a response without a body may have it in its headers (`Trailers-Only`,
 * "gRPC over HTTP2").
 */
export function wrongDoor(grpc: Address | undefined): Response {
  const address = grpc && formatAddress(grpc);
  const message = "Cannot serve gRPC at this port, which serves gRPC-Web, Connect and JSON; " +
    (address ? `call grpc://${address}` : "call the server's gRPC port");
  const metadata: Record<string, string> = address ? { grpc_address: address } : {};
  const status = statusMessage(errorOf("WRONG_PORT", message, metadata));
  return new Response(null, {
    headers: {
      "content-type": "application/grpc",
      "grpc-status": String(status.code),
      "grpc-message": grpcMessage(status.message),
      "grpc-status-details-bin": encodeBinaryHeader(status, StatusSchema),
    },
  });
}

/** The response to a call that failed unexpectedly. */
export const internalError = (): Response =>
  refusal(new ConnectError("internal error", Code.Internal));

function errorOf(
  reason: ErrorReason,
  message: string,
  metadata: Readonly<Record<string, string>> = {},
): ConnectError {
  return toApiError(errorFor(reason, { message, metadata }));
}

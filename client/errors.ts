/** Interprets a failed call by its code, its details, and where the error arose. */
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorAdviceSchema, ErrorInfoSchema, RetryInfoSchema } from "@mpc/proto";

/**
 * Where an error arose:
 * - `api`: the API sent it, with a reason (AIP-193)
 * - `aborted`: the caller aborted the call
 * - `timeout`: no answer came in time
 * - `refused`, `unknown_host`, `unreachable`: no connection could be made
 * - `untrusted`: nobody that is trusted has signed the server's certificate, or it is of another host
 * - `certificate_refused`: the server wants a client certificate, or another one
 * - `broken`: the connection ended too early
 * - `unavailable`: a proxy on the way says that the API is unavailable
 * - `foreign`: the server speaks another protocol or has another API
 * - `other`: something on the way to the API refused the call, for instance a proxy
 */
export type FailureOrigin =
  | "api"
  | "aborted"
  | "timeout"
  | "refused"
  | "unknown_host"
  | "unreachable"
  | "untrusted"
  | "certificate_refused"
  | "broken"
  | "unavailable"
  | "foreign"
  | "other";

/** A failed call. */
export interface CallFailure {
  readonly origin: FailureOrigin;
  readonly code: Code;
  readonly message: string;
  /** The API's reason, such as `ENVIRONMENT_NOT_FOUND`; empty for errors of other origins. */
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly { readonly field: string; readonly description: string }[];
  /** What to do next, as the API says; empty for errors of another origin. */
  readonly nextStep: string;
  /** When to retry, if the API says so. */
  readonly retryAfterMs: number | undefined;
}

/** Codes of calls to a server with another protocol or another API. */
const FOREIGN: ReadonlySet<Code> = new Set([
  Code.Unknown,
  Code.Internal,
  Code.Unimplemented,
  Code.InvalidArgument,
  Code.NotFound,
  Code.PermissionDenied,
]);

/** Of Deno (rustls) and of Node (OpenSSL). */
const UNTRUSTED =
  /peer certificate|self[- _]signed|UNABLE_TO_|CERT_|ERR_TLS_CERT_|unable to (?:get|verify)|certificate has expired|does not match certificate/i;
const CERTIFICATE_REFUSED =
  /ALERT_(?:CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA)|alert (?:certificate|bad certificate|unknown ca)|fatal alert: (?:Certificate|BadCert|UnknownCA)/i;
const BROKEN =
  /ECONNRESET|UND_ERR_SOCKET|EPIPE|connection (was )?(reset|closed|dropped)|failed to connect|reading a body/i;

/** Interprets the error of a failed call. */
export function readFailure(error: ConnectError): CallFailure {
  const info = error.findDetails(ErrorInfoSchema)[0];
  const retryDelay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return {
    origin: info ? "api" : originOf(error),
    code: error.code,
    message: error.rawMessage,
    reason: info?.reason ?? "",
    metadata: info?.metadata ?? {},
    violations: error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) =>
      fieldViolations.map(({ field, description }) => ({ field, description }))
    ),
    nextStep: error.findDetails(ErrorAdviceSchema)[0]?.nextStep ?? "",
    retryAfterMs: retryDelay && durationMs(retryDelay),
  };
}

/** Whether an error means that the resource does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.NotFound &&
    readFailure(error).origin === "api";
}

/** The result of a read; undefined if the resource does not exist. */
export async function unlessNotFound<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The origin of an error without `ErrorInfo`, which every error of the API has. */
function originOf({ code, cause }: ConnectError): FailureOrigin {
  if (code === Code.Canceled) return "aborted";
  if (code === Code.DeadlineExceeded) return "timeout";
  // Only errors of the transport have a cause; errors that a server sent have none.
  if (cause instanceof Error) return connectionFailure(cause);
  if (code === Code.Unavailable) return "unavailable";
  return FOREIGN.has(code) ? "foreign" : "other";
}

/**
 * Why the runtime could not connect or read. Deno's `fetch` and grpc-js provide only a text, which
 * contains nothing that a server sent.
 */
function connectionFailure(cause: Error): FailureOrigin {
  const texts: string[] = [];
  for (let error: unknown = cause; error instanceof Error; error = error.cause) {
    texts.push("code" in error ? String(error.code) : "", error.message);
  }
  const text = texts.join(" ");
  if (/ECONNREFUSED|connection refused/i.test(text)) return "refused";
  if (/ENOTFOUND|EAI_AGAIN|dns error|lookup address|name resolution failed/i.test(text)) {
    return "unknown_host";
  }
  if (/ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|unreachable|no route to host|timed out/i.test(text)) {
    return "unreachable";
  }
  if (CERTIFICATE_REFUSED.test(text)) return "certificate_refused";
  if (UNTRUSTED.test(text)) return "untrusted";
  return BROKEN.test(text) ? "broken" : "foreign";
}

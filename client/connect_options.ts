import type { CallTracer } from "./call_tracer.ts";
import type { TlsFiles } from "./tls_fetch.ts";

/**
 * The bearer token of the next call; undefined to call without credentials.
 * @param rejected the token that the server has just refused, if it is the reason for asking: another
 *   one is tried once
 */
export type Credentials = (rejected?: string) => Promise<string | undefined>;

/** Which server to call, as whom, and how long to wait. */
export interface ConnectOptions {
  /** `http://` and `https://` for gRPC-Web, `grpc://` and `grpcs://` for gRPC. */
  readonly server: URL;
  /** How long a call may take, and how long a stream may take to begin; 30 s by default. */
  readonly requestTimeoutMs?: number | undefined;
  /** Asked before each call; by default calls carry no token. */
  readonly credentials?: Credentials | undefined;
  /** For `https://` and `grpcs://`; by default the runtime's authorities and no client certificate. */
  readonly tls?: TlsFiles | undefined;
  /** Makes spans of the calls; none by default. */
  readonly tracer?: CallTracer | undefined;
}

export const REQUEST_TIMEOUT_MS = 30_000;

/** Whether an address selects gRPC rather than gRPC-Web. */
export const isGrpc = ({ protocol }: URL): boolean => protocol === "grpc:" || protocol === "grpcs:";

/** Whether calls to an address are encrypted. */
export const isEncrypted = ({ protocol }: URL): boolean =>
  protocol === "grpcs:" || protocol === "https:";

/** Whether nobody else can read calls to an address: they are encrypted or stay on this machine. */
export const isPrivate = (url: URL): boolean =>
  isEncrypted(url) || /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i.test(url.hostname);

/** The base URL, to which the paths of methods are appended. */
export const baseUrlOf = ({ href }: URL): string => href.replace(/\/$/, "");

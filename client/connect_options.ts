/** Which server to call, and how long to wait. */
export interface ConnectOptions {
  /** `http://` and `https://` for gRPC-Web, `grpc://` and `grpcs://` for gRPC. */
  readonly server: URL;
  /** How long a call may take, and how long a stream may take to begin; 30 s by default. */
  readonly requestTimeoutMs?: number | undefined;
}

export const REQUEST_TIMEOUT_MS = 30_000;

/** Whether an address selects gRPC rather than gRPC-Web. */
export const isGrpc = ({ protocol }: URL): boolean => protocol === "grpc:" || protocol === "grpcs:";

/** The base URL, to which the paths of methods are appended. */
export const baseUrlOf = ({ href }: URL): string => href.replace(/\/$/, "");

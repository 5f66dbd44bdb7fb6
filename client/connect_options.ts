/** Which server to call, and how patiently. */
export interface ConnectOptions {
  /** `http://` and `https://` for gRPC-Web, `grpc://` and `grpcs://` for gRPC. */
  readonly server: URL;
  /** How long a call may take, and how long a stream may take to begin; 30 s by default. */
  readonly requestTimeoutMs?: number | undefined;
}

export const REQUEST_TIMEOUT_MS = 30_000;

/** Whether an address is for gRPC, not for gRPC-Web. */
export const isGrpc = ({ protocol }: URL): boolean => protocol === "grpc:" || protocol === "grpcs:";

/** The address that paths of methods are appended to. */
export const baseUrlOf = ({ href }: URL): string => href.replace(/\/$/, "");

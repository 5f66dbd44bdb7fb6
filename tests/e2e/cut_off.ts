import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@mpc/proto";

/** Codes with which a transport tells that the other end went away in the middle of a call. */
const TRANSPORT: ReadonlySet<Code> = new Set([Code.Unavailable, Code.Unknown, Code.Internal]);

/**
 * Whether a call ended because its server went away. Every error that the server itself answers
 * with has an `ErrorInfo`, also an INTERNAL one; what the transport makes of a lost connection, or
 * of half an answer, has none.
 */
export function wasCutOff(error: unknown): boolean {
  return error instanceof ConnectError && TRANSPORT.has(error.code) &&
    error.findDetails(ErrorInfoSchema).length === 0;
}

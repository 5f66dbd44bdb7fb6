import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@mpc/proto";

/** Codes with which a transport reports that the other end went away during a call. */
const TRANSPORT: ReadonlySet<Code> = new Set([Code.Unavailable, Code.Unknown, Code.Internal]);

/**
 * Whether a call ended because its server went away. Every error that the server itself sends has
 * an `ErrorInfo`, even an INTERNAL one; an error that the transport makes of a lost connection or
 * of an incomplete response has none.
 */
export function wasCutOff(error: unknown): boolean {
  return error instanceof ConnectError && TRANSPORT.has(error.code) &&
    error.findDetails(ErrorInfoSchema).length === 0;
}

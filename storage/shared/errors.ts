/** The failures that the ports name, built in one place so that all adapters mean the same. */
import { abortedByCaller, MpcError } from "@mpc/domain";

export const nameTaken = (name: string): MpcError =>
  new MpcError("ALREADY_EXISTS", {
    reason: "NAME_TAKEN",
    message: `Cannot create '${name}': there is one of that name`,
    metadata: { name },
  });

export const requestIdTaken = (requestId: string): MpcError =>
  new MpcError("ALREADY_EXISTS", {
    reason: "REQUEST_ID_TAKEN",
    message: `Cannot create an operation: request id '${requestId}' is in use`,
    metadata: { requestId },
  });

export const noSuchDocument = (name: string): MpcError =>
  new MpcError("NOT_FOUND", {
    reason: "NO_SUCH_DOCUMENT",
    message: `Cannot change '${name}': it is gone`,
    metadata: { name },
  });

export const versionConflict = (name: string, wanted: number, found: number): MpcError =>
  new MpcError("ABORTED", {
    reason: "VERSION_CONFLICT",
    message: `Cannot change '${name}': it has version ${found}, not ${wanted}`,
    metadata: { name },
  });

export const eventsCompacted = (after: number, oldest: number): MpcError =>
  new MpcError("OUT_OF_RANGE", {
    reason: "EVENTS_COMPACTED",
    message:
      `Cannot read events behind ${after}: the oldest that is kept is ${oldest}; begin anew with what is there now`,
    metadata: { oldest: String(oldest) },
  });

export const storeClosed = (): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "STORE_UNAVAILABLE",
    message: "Cannot use the store: it is closed",
  });

/** @throws {MpcError} CANCELLED `ABORTED_BY_CALLER` where the signal is aborted */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw abortedByCaller("go on", signal.reason);
}

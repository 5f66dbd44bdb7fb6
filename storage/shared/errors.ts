/** The errors that the ports document, the same in every adapter. */
import { abortedByCaller, MpcError } from "@mpc/domain";

export const nameTaken = (name: string): MpcError =>
  new MpcError("ALREADY_EXISTS", {
    reason: "NAME_TAKEN",
    message: `Cannot create '${name}': the name is taken`,
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
    message: `Cannot change '${name}': it does not exist`,
    metadata: { name },
  });

export const versionConflict = (name: string, wanted: number, found: number): MpcError =>
  new MpcError("ABORTED", {
    reason: "VERSION_CONFLICT",
    message: `Cannot change '${name}': it has version ${found}, not ${wanted}`,
    metadata: { name },
  });

export const eventsCompacted = (after: number, compacted: number): MpcError =>
  new MpcError("OUT_OF_RANGE", {
    reason: "EVENTS_COMPACTED",
    message: `Cannot read events after ${after}: events up to ${compacted} have been removed; ` +
      "start again from the current state",
    metadata: { compacted: String(compacted) },
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

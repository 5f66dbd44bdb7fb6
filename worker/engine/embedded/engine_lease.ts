import { MpcError } from "@mpc/domain";
import { HeldLease, LEASE_MS, type LeaseOptions } from "../../housekeeping/hold_lease.ts";

/** The pause between two attempts to acquire the lease. */
const PAUSE_MS = 1_000;

/** The right of one embedded engine to run the operations of a store. */
export type EngineLease = Pick<HeldLease, "token" | "lost" | "isHeldWith">;

/**
 * Acquires the right to run the operations of a store that several processes may open. Waits as long
 * as the lease of a process that was killed may last.
 * @throws {MpcError} FAILED_PRECONDITION `ENGINE_IN_USE`: another process has it
 */
export async function acquireEngineLease(
  options: Omit<LeaseOptions, "what">,
): Promise<HeldLease> {
  const { clock } = options;
  const lease = new HeldLease({ ...options, what: "engine" });
  await lease.start();
  const end = clock.monotonic() + LEASE_MS + PAUSE_MS;
  while (lease.token === undefined) {
    if (clock.monotonic() >= end) {
      await lease[Symbol.asyncDispose]();
      throw engineInUse();
    }
    await clock.sleep(PAUSE_MS);
    await lease.attempt();
  }
  return lease;
}

export function engineInUse(): MpcError {
  return new MpcError("FAILED_PRECONDITION", {
    reason: "ENGINE_IN_USE",
    message: "Cannot run operations: another process runs those of this store on the embedded " +
      "engine; stop that process, or run several processes with Temporal",
    retryable: true,
  });
}

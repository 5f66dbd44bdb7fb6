import { MpcError, type Residue } from "@mpc/domain";
import type { StepContext } from "./step.ts";

/**
 * Waits until something is gone, reports what blocks it meanwhile, and fails with that at the
 * timeout.
 * @throws {MpcError} DEADLINE_EXCEEDED `DELETE_BLOCKED`, permanent, with `metadata.blockers`
 */
export async function awaitDeletion(
  context: StepContext,
  name: string,
  wait: (onBlocked: (blockers: readonly Residue[]) => void) => Promise<void>,
): Promise<void> {
  let blockers: readonly Residue[] = [];
  const describe = () => blockers.map((b) => `${b.object} (${b.reason})`).join(", ");
  try {
    await wait((found) => {
      blockers = found;
      context.heartbeat(found.length > 0 ? `blocked by ${describe()}` : `waiting until it is gone`);
    });
  } catch (error) {
    if (blockers.length === 0 || !context.signal.aborted) throw error;
    throw new MpcError("DEADLINE_EXCEEDED", {
      reason: "DELETE_BLOCKED",
      message: `Cannot delete '${name}': it is held by ${describe()}`,
      retryable: false,
      metadata: { blockers: JSON.stringify(blockers) },
      // The cause is why the wait ended; that it was aborted is of no use to anybody.
      cause: context.signal.reason,
    });
  }
}

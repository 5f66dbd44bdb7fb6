import { type Advice, type ErrorRecord, MpcError, type Residue } from "@mpc/domain";
import type { StepContext } from "./step.ts";
import { obstacleDetail } from "./step_obstacle.ts";

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
  const describe = () =>
    blockers.map(({ object, reason, remedy }) =>
      `${object} (${reason}; to lift it, run '${remedy}')`
    ).join(", ");
  try {
    await wait((found) => {
      blockers = found;
      const progress = found.length > 0 ? `blocked by ${describe()}` : "waiting until it is gone";
      context.heartbeat(progress, obstacleDetail(adviceAbout(found)));
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

function adviceAbout(blockers: readonly Residue[]): Advice | undefined {
  if (blockers.length === 0) return undefined;
  return {
    responsible: "cluster",
    nextStep: "Remove what holds the object on the cluster; the deletion then goes on by itself",
    command: removalOf(blockers),
  };
}

/** The commands that remove what blocks a deletion, in one line. */
export const removalOf = (blockers: readonly Residue[]): string =>
  [...new Set(blockers.map(({ remedy }) => remedy))].join(" && ");

/** What blocked a deletion that failed with `DELETE_BLOCKED`; empty for any other error. */
export function blockersOf(error: ErrorRecord | null | undefined): readonly Residue[] {
  const blockers = error?.reason === "DELETE_BLOCKED" ? error.metadata["blockers"] : undefined;
  return blockers === undefined ? [] : JSON.parse(blockers);
}

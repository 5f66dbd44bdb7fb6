/**
 * The rules of the platform as a small model: the state of a resource after its operations, in the
 * order in which they ended. Written from the rules, not from the code that implements them.
 */
import type { Operation } from "@mpc/domain";

/** The possible states of a resource; `gone` means that it has no record. */
export type Possible = ReadonlySet<string>;

const only = (state: string): Possible => new Set([state]);

const GONE = only("gone");

/** The possible states of an environment. */
export function environmentAfter(operations: readonly Operation[]): Possible {
  return operations.reduce<Possible>((before, { kind, state, startTime }) => {
    const failed = state === "FAILED" || state === "NEEDS_ATTENTION";
    switch (kind) {
      case "environment.create":
        return state === "SUCCEEDED" ? only("READY") : failed ? only("CREATE_FAILED") : GONE;
      case "environment.update":
        return state === "SUCCEEDED" ? only("READY") : failed ? only("UPDATE_FAILED") : before;
      default:
        return afterDeletion(before, state, startTime);
    }
  }, GONE);
}

/** The possible states of a workload, after its own operations and deletions of its environment. */
export function workloadAfter(operations: readonly Operation[]): Possible {
  return operations.reduce<Possible>((before, { kind, state, startTime, input }) => {
    const failed = state === "FAILED" || state === "NEEDS_ATTENTION";
    switch (kind) {
      case "workload.deploy":
        if (state === "SUCCEEDED") return only("READY");
        if (failed) return only("DEPLOY_FAILED");
        // A workload that was DELETE_FAILED has been deployed again: its deletion is history.
        return input["previous"] === null
          ? GONE
          : new Set([...before].map((s) => s === "READY" ? "READY" : "DEPLOY_FAILED"));
      case "workload.delete":
      case "workload.abandon":
        return afterDeletion(before, state, startTime);
      case "environment.delete":
      case "environment.abandon":
        // A deletion that ended early has claimed none, some or all of the workloads.
        return state === "SUCCEEDED" ? GONE : new Set([...before, "gone", "DELETE_FAILED"]);
      default:
        return before;
    }
  }, GONE);
}

function afterDeletion(before: Possible, state: string, startTime: number | null): Possible {
  if (state === "SUCCEEDED") return GONE;
  // An operation that was cancelled while it waited for its turn may not have begun at all.
  return state === "CANCELLED" && startTime === null
    ? new Set([...before, "DELETE_FAILED"])
    : only("DELETE_FAILED");
}

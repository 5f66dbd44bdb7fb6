/**
 * The rules of the platform as a small model: what the operations of one resource, in the order
 * they ended, leave of it. Written from the rules, not from the code that carries them out.
 */
import type { Operation } from "@mpc/domain";

/** What may be there: each possible state, `gone` for no record. */
export type Possible = ReadonlySet<string>;

const only = (state: string): Possible => new Set([state]);

const GONE = only("gone");

/** What is left of an environment. */
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

/** What is left of a workload, `operations` being its own and those that delete its environment. */
export function workloadAfter(operations: readonly Operation[]): Possible {
  return operations.reduce<Possible>((before, { kind, state, startTime, input }) => {
    const failed = state === "FAILED" || state === "NEEDS_ATTENTION";
    switch (kind) {
      case "workload.deploy":
        if (state === "SUCCEEDED") return only("READY");
        if (failed) return only("DEPLOY_FAILED");
        // What was DELETE_FAILED before has been deployed over: its deletion is history.
        return input["previous"] === null
          ? GONE
          : new Set([...before].map((s) => s === "READY" ? "READY" : "DEPLOY_FAILED"));
      case "workload.delete":
      case "workload.abandon":
        return afterDeletion(before, state, startTime);
      case "environment.delete":
      case "environment.abandon":
        // A deletion that ended early has taken none, some or all of the workloads.
        return state === "SUCCEEDED" ? GONE : new Set([...before, "gone", "DELETE_FAILED"]);
      default:
        return before;
    }
  }, GONE);
}

function afterDeletion(before: Possible, state: string, startTime: number | null): Possible {
  if (state === "SUCCEEDED") return GONE;
  // One that was cancelled while it waited for its turn may not have begun at all.
  return state === "CANCELLED" && startTime === null
    ? new Set([...before, "DELETE_FAILED"])
    : only("DELETE_FAILED");
}

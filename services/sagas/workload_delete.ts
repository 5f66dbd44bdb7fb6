import { workloadName } from "@mpc/domain";
import type { WorkloadDefinition } from "./definition.ts";
import { deleteRevisions } from "./delete_workload_records.ts";
import { awaitDeletion } from "./await_deletion.ts";
import { CLUSTER_CALL, clusterWait, RECORD_CALL } from "./retry_policies.ts";
import { moveWorkload } from "./move_resource.ts";
import type { Step } from "./step.ts";

export type WorkloadDeleteInput = {
  readonly environment: string;
  readonly workload: string;
  readonly uid: string;
};

const deleteWorkload: Step<WorkloadDeleteInput> = {
  name: "delete_workload",
  onCancel: "keep",
  ...CLUSTER_CALL,
  async run({ provider, signal }, input) {
    await provider.deleteWorkloads([input], { signal });
  },
  plan: ({ provider, signal }, input) =>
    provider.deleteWorkloads([input], { signal, dryRun: true }),
};

const awaitWorkloadGone: Step<WorkloadDeleteInput> = {
  name: "await_workload_gone",
  onCancel: "keep",
  ...clusterWait(600_000),
  async run(context, input) {
    await awaitDeletion(
      context,
      workloadName(input.environment, input.workload),
      (onBlocked) =>
        context.provider.awaitWorkloadGone(input, { signal: context.signal, onBlocked }),
    );
  },
};

const forgetRevisions: Step<WorkloadDeleteInput> = {
  name: "forget_revisions",
  onCancel: "keep",
  ...RECORD_CALL,
  async run(context, input) {
    await deleteRevisions(context, workloadName(input.environment, input.workload));
  },
};

/** Deletes a workload: its objects, and once they are gone its revisions and its record. */
export const workloadDelete: WorkloadDefinition<WorkloadDeleteInput> = {
  kind: "workload.delete",
  resource: "workload",
  steps: [deleteWorkload, awaitWorkloadGone, forgetRevisions],
  begin(current, input, stamp) {
    if (!current) throw new Error(`Cannot delete '${input.workload}': there is no record of it`);
    return moveWorkload(current, "DELETING", stamp);
  },
  settle(current, _input, ending, stamp) {
    return ending === "SUCCEEDED" ? null : moveWorkload(current, "DELETE_FAILED", stamp);
  },
  cancelled: (input) =>
    `workload '${input.workload}' is DELETE_FAILED, without what was deleted so far`,
};

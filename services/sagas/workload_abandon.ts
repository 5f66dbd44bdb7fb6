import { workloadName } from "@mpc/domain";
import { abandonedWorkload, recordOrphan } from "./record_orphan.ts";
import type { WorkloadDefinition } from "./definition.ts";
import { deleteRevisions } from "./delete_workload_records.ts";
import { RECORD_CALL } from "./retry_policies.ts";
import type { Step } from "./step.ts";
import { workloadDelete, type WorkloadDeleteInput } from "./workload_delete.ts";

const recordOrphans: Step<WorkloadDeleteInput> = {
  name: "record_orphans",
  onCancel: "keep",
  ...RECORD_CALL,
  async run(context, input) {
    const name = workloadName(input.environment, input.workload);
    await recordOrphan(context, abandonedWorkload({ name, uid: input.uid }));
    await deleteRevisions(context, name);
  },
};

/** Deletes a workload's record without waiting for the cluster; the janitor sweeps the rest. */
export const workloadAbandon: WorkloadDefinition<WorkloadDeleteInput> = {
  kind: "workload.abandon",
  resource: "workload",
  steps: [recordOrphans],
  begin: workloadDelete.begin,
  settle: workloadDelete.settle,
  cancelled: (input) => `workload '${input.workload}' is DELETE_FAILED`,
};

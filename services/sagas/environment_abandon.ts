import { environmentName, idOf } from "@mpc/domain";
import { abandonedWorkload, recordOrphan } from "./record_orphan.ts";
import {
  claimedWorkloads,
  claimWorkloads,
  heldWorkloads,
  releaseWorkloads,
} from "./claim_workloads.ts";
import type { EnvironmentDefinition } from "./definition.ts";
import { deleteRevisions, deleteWorkloadRecord } from "./delete_workload_records.ts";
import { environmentDelete, type EnvironmentDeleteInput } from "./environment_delete.ts";
import { clusterWait, RECORD_CALL } from "./retry_policies.ts";
import type { Step } from "./step.ts";

const stopWorkloads: Step<EnvironmentDeleteInput> = {
  name: "stop_workloads",
  onCancel: "undo",
  ...clusterWait(600_000),
  async run(context, input) {
    await claimWorkloads(context, environmentName(input.environment));
  },
  async undo(context, input) {
    await releaseWorkloads(context, environmentName(input.environment));
  },
  residue: (input) => [heldWorkloads(input.environment)],
};

const recordOrphans: Step<EnvironmentDeleteInput> = {
  name: "record_orphans",
  onCancel: "keep",
  ...RECORD_CALL,
  async run(context, input) {
    const name = environmentName(input.environment);
    await recordOrphan(context, {
      name,
      uid: input.uid,
      objects: [`Namespace/${input.environment}`],
    });
    for (const workload of await claimedWorkloads(context, name)) {
      await recordOrphan(context, abandonedWorkload(workload.value));
      await deleteRevisions(context, workload.value.name);
      await deleteWorkloadRecord(
        context,
        workload,
        `Workload '${idOf(workload.value.name)}' was abandoned`,
      );
    }
  },
};

/** Deletes an environment's record without waiting for the cluster; the janitor sweeps the rest. */
export const environmentAbandon: EnvironmentDefinition<EnvironmentDeleteInput> = {
  kind: "environment.abandon",
  resource: "environment",
  steps: [stopWorkloads, recordOrphans],
  begin: environmentDelete.begin,
  settle: environmentDelete.settle,
  cancelled: (input) => `environment '${input.environment}' is DELETE_FAILED`,
};

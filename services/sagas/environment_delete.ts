import { environmentName, idOf } from "@mpc/domain";
import type { EnvironmentDefinition } from "./definition.ts";
import { awaitDeletion } from "./await_deletion.ts";
import { deleteRevisions, deleteWorkloadRecord } from "./delete_workload_records.ts";
import {
  claimedWorkloads,
  claimWorkloads,
  heldWorkloads,
  releaseWorkloads,
} from "./claim_workloads.ts";
import { CLUSTER_CALL, clusterWait } from "./retry_policies.ts";
import { moveEnvironment } from "./move_resource.ts";
import type { Step } from "./step.ts";
import { workloadRefOf } from "./workload_deploy.ts";

export type EnvironmentDeleteInput = {
  readonly environment: string;
  readonly uid: string;
};

const TEN_MINUTES = 600_000;

const stopWorkloads: Step<EnvironmentDeleteInput> = {
  name: "stop_workloads",
  onCancel: "undo",
  ...clusterWait(TEN_MINUTES),
  async run(context, input) {
    await claimWorkloads(context, environmentName(input.environment));
  },
  async undo(context, input) {
    await releaseWorkloads(context, environmentName(input.environment));
  },
  residue: (input) => [heldWorkloads(input.environment)],
};

const deleteWorkloads: Step<EnvironmentDeleteInput> = {
  name: "delete_workloads",
  onCancel: "keep",
  ...clusterWait(TEN_MINUTES),
  async run(context, input) {
    const { provider, signal } = context;
    const claimed = await claimedWorkloads(context, environmentName(input.environment));
    const refs = claimed.map(({ value }) => workloadRefOf(value));
    const deleted = await provider.deleteWorkloads(refs, { signal, withNamespace: true });
    for (const workload of claimed) {
      const { value } = workload;
      context.heartbeat(`waiting until workload '${value.name}' is gone`);
      await awaitDeletion(
        context,
        value.name,
        (onBlocked) =>
          provider.awaitWorkloadGone(workloadRefOf(value), { signal, onBlocked, deleted }),
      );
      await deleteRevisions(context, value.name);
      await deleteWorkloadRecord(
        context,
        workload,
        `Workload '${idOf(value.name)}' is gone with its environment`,
      );
    }
  },
  async plan({ provider, signal, store }, input) {
    const prefix = `${environmentName(input.environment)}/workloads/`;
    const page = await store.workloads.list({ prefix, limit: 1_000, signal });
    const refs = page.items.map(({ value }) => workloadRefOf(value));
    return await provider.deleteWorkloads(refs, { signal, dryRun: true });
  },
};

const deleteNamespace: Step<EnvironmentDeleteInput> = {
  name: "delete_namespace",
  onCancel: "keep",
  ...CLUSTER_CALL,
  async run({ provider, signal }, input) {
    await provider.deleteNamespace(input, { signal });
  },
  plan: ({ provider, signal }, input) => provider.deleteNamespace(input, { signal, dryRun: true }),
};

const awaitNamespaceGone: Step<EnvironmentDeleteInput> = {
  name: "await_namespace_gone",
  onCancel: "keep",
  ...clusterWait(TEN_MINUTES),
  async run(context, input) {
    await awaitDeletion(
      context,
      environmentName(input.environment),
      (onBlocked) =>
        context.provider.awaitNamespaceGone(input, { signal: context.signal, onBlocked }),
    );
  },
};

/** Deletes an environment: stops and deletes its workloads, then its namespace. */
export const environmentDelete: EnvironmentDefinition<EnvironmentDeleteInput> = {
  kind: "environment.delete",
  resource: "environment",
  steps: [stopWorkloads, deleteWorkloads, deleteNamespace, awaitNamespaceGone],
  begin(current, input, stamp) {
    if (!current) throw new Error(`Cannot delete '${input.environment}': there is no record of it`);
    return moveEnvironment(current, "DELETING", stamp);
  },
  settle(current, _input, ending, stamp) {
    return ending === "SUCCEEDED" ? null : moveEnvironment(current, "DELETE_FAILED", stamp);
  },
  cancelled: (input) =>
    `environment '${input.environment}' is DELETE_FAILED, without what was deleted so far`,
};

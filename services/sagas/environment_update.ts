import { type Environment, EXPIRES_SOON } from "@mpc/domain";
import type { ApplyCall } from "../ports/mod.ts";
import type { EnvironmentDefinition } from "./definition.ts";
import { CLUSTER_CALL } from "./retry_policies.ts";
import { asApplied, moveEnvironment, nextGeneration } from "./move_resource.ts";
import type { Step, StepContext } from "./step.ts";

/** The fields that an update may change; kept as requested and as they were before. */
type Changeable = {
  readonly labels: { readonly [key: string]: string };
  readonly annotations: { readonly [key: string]: string };
  readonly quota: {
    readonly workloads: number | null;
    readonly cpu: string | null;
    readonly memory: string | null;
  };
  readonly expireTime: number | null;
  readonly deletionProtection: boolean;
};

export type EnvironmentUpdateInput = {
  readonly environment: string;
  readonly uid: string;
  readonly cluster: string;
  readonly wanted: Changeable;
  readonly previous: Changeable;
  /** The state to return to when the update is cancelled. */
  readonly previousState: "READY" | "UPDATE_FAILED";
  /** Takes over fields that somebody else manages. Absent in records of earlier versions. */
  readonly forceConflicts?: boolean;
};

const intent = (input: EnvironmentUpdateInput, fields: Changeable) => ({
  environment: input.environment,
  uid: input.uid,
  cluster: input.cluster,
  labels: fields.labels,
  quota: fields.quota,
});

/**
 * How a step applies the environment. An undo restores only what the update may have changed: it was
 * refused the rest, which may belong to somebody else.
 */
const callOf = (
  { signal, made }: Pick<StepContext, "signal"> & Partial<Pick<StepContext, "made">>,
  { forceConflicts = false }: EnvironmentUpdateInput,
): ApplyCall => ({ signal, forceConflicts, ...(made && { only: made }) });

const residue = (input: EnvironmentUpdateInput, object: string, operation: string) => [{
  object: `${object}/${input.environment}`,
  reason: "it could not be restored",
  remedy: `mpctl op retry ${operation}`,
}];

const applyNamespace: Step<EnvironmentUpdateInput> = {
  name: "apply_namespace",
  onCancel: "undo",
  ...CLUSTER_CALL,
  async run({ provider, signal }, input) {
    await provider.applyNamespace(intent(input, input.wanted), callOf({ signal }, input));
  },
  async undo({ provider, signal, made }, input) {
    if (made?.length === 0) return;
    await provider.applyNamespace(intent(input, input.previous), callOf({ signal, made }, input));
  },
  plan: ({ provider, signal }, input) =>
    provider.applyNamespace(intent(input, input.wanted), {
      ...callOf({ signal }, input),
      dryRun: true,
    }),
  residue: (input, operation) => residue(input, "Namespace", operation),
};

const applyPolicies: Step<EnvironmentUpdateInput> = {
  name: "apply_policies",
  onCancel: "undo",
  ...CLUSTER_CALL,
  async run({ provider, signal }, input) {
    await provider.applyPolicies(intent(input, input.wanted), callOf({ signal }, input));
  },
  async undo({ provider, signal, made }, input) {
    if (made?.length === 0) return;
    await provider.applyPolicies(intent(input, input.previous), callOf({ signal, made }, input));
  },
  plan: ({ provider, signal }, input) =>
    provider.applyPolicies(intent(input, input.wanted), {
      ...callOf({ signal }, input),
      dryRun: true,
    }),
  residue: (input, operation) => residue(input, "ResourceQuota", operation),
};

/** Changes an environment's labels, annotations, expiry, quota and protection. */
export const environmentUpdate: EnvironmentDefinition<EnvironmentUpdateInput> = {
  kind: "environment.update",
  resource: "environment",
  steps: [applyNamespace, applyPolicies],
  begin(current, input, stamp) {
    if (!current) throw new Error(`Cannot update '${input.environment}': there is no record of it`);
    const { expireTime } = input.wanted;
    const changed = {
      ...current,
      ...input.wanted,
      generation: nextGeneration(current, input.wanted),
      // A condition about the previous expiry does not apply to another one.
      conditions: expireTime === current.expireTime
        ? current.conditions
        : current.conditions.filter(({ type }) => type !== EXPIRES_SOON),
    };
    return moveEnvironment(changed, "UPDATING", stamp);
  },
  settle(current, input, ending, stamp) {
    if (ending === "SUCCEEDED") return asApplied(moveEnvironment(current, "READY", stamp), stamp);
    const reverted: Environment = { ...current, ...input.previous };
    return moveEnvironment(
      reverted,
      ending === "CANCELLED" ? input.previousState : "UPDATE_FAILED",
      stamp,
    );
  },
  cancelled: (input) => `environment '${input.environment}' is as it was before the update`,
};

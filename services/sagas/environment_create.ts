import { type Environment, environmentName, type Quota } from "@mpc/domain";
import type { EnvironmentDefinition } from "./definition.ts";
import { CLUSTER_CALL, clusterWait } from "./retry_policies.ts";
import { moveEnvironment } from "./move_resource.ts";
import type { Step } from "./step.ts";

/** The intent, complete enough to create the record and the objects on the cluster. */
export type EnvironmentCreateInput = {
  readonly environment: string;
  readonly uid: string;
  readonly labels: { readonly [key: string]: string };
  readonly annotations: { readonly [key: string]: string };
  readonly quota: { readonly [Key in keyof Quota]: Quota[Key] };
  readonly expireTime: number | null;
  readonly deletionProtection: boolean;
  /** Absent in records of earlier versions. */
  readonly creator?: string;
  readonly cluster: string;
  /** Takes over fields that somebody else manages; only a retry sets it. */
  readonly forceConflicts?: boolean;
};

const callOf = (signal: AbortSignal, { forceConflicts = false }: EnvironmentCreateInput) => ({
  signal,
  forceConflicts,
});

const createNamespace: Step<EnvironmentCreateInput> = {
  name: "create_namespace",
  onCancel: "undo",
  ...CLUSTER_CALL,
  // The undo waits until the namespace is gone, which takes longer than a call.
  attemptTimeoutMs: clusterWait(60_000).attemptTimeoutMs,
  async run({ provider, signal }, input) {
    await provider.applyNamespace(input, callOf(signal, input));
  },
  async undo({ made, provider, signal, heartbeat }, input) {
    if (made?.length === 0) return;
    await provider.deleteNamespace(input, { signal });
    await provider.awaitNamespaceGone(input, {
      signal,
      onBlocked: (blockers) =>
        heartbeat(blockers.map((b) => `${b.object}: ${b.reason}`).join("; ")),
    });
  },
  plan: ({ provider, signal }, input) =>
    provider.applyNamespace(input, { ...callOf(signal, input), dryRun: true }),
  residue: (input) => [{
    object: `Namespace/${input.environment}`,
    reason: "its deletion did not finish",
    remedy: `mpctl env delete ${input.environment}`,
  }],
};

const applyPolicies: Step<EnvironmentCreateInput> = {
  name: "apply_policies",
  onCancel: "undo",
  ...CLUSTER_CALL,
  async run({ provider, signal }, input) {
    await provider.applyPolicies(input, callOf(signal, input));
  },
  async undo({ made, provider, signal }, input) {
    if (made?.length === 0) return;
    await provider.deletePolicies(input, { signal });
  },
  plan: ({ provider, signal }, input) =>
    provider.applyPolicies(input, { ...callOf(signal, input), dryRun: true }),
  residue: (input) => [{
    object: `ResourceQuota/${input.environment}`,
    reason: "it could not be removed",
    remedy: `mpctl env delete ${input.environment}`,
  }],
};

/** Creates an environment: a namespace, then its quota, limits and network policy. */
export const environmentCreate: EnvironmentDefinition<EnvironmentCreateInput> = {
  kind: "environment.create",
  resource: "environment",
  steps: [createNamespace, applyPolicies],
  begin(current, input, stamp) {
    const creator = current?.creator ?? input.creator;
    const wanted: Environment = {
      ...blank(stamp.now),
      name: environmentName(input.environment),
      uid: input.uid,
      generation: (current?.generation ?? 0) + 1,
      labels: input.labels,
      annotations: input.annotations,
      quota: input.quota,
      expireTime: input.expireTime,
      deletionProtection: input.deletionProtection,
      cluster: input.cluster,
      ...(creator !== undefined && { creator }),
    };
    if (!current) return moveEnvironment(wanted, "CREATING", stamp);
    return moveEnvironment(
      { ...wanted, createTime: current.createTime, state: current.state },
      "CREATING",
      stamp,
    );
  },
  settle(current, _input, ending, stamp) {
    if (ending === "CANCELLED") return null;
    return moveEnvironment(current, ending === "SUCCEEDED" ? "READY" : "CREATE_FAILED", stamp);
  },
  cancelled: (input) => `environment '${input.environment}' is deleted with all its objects`,
};

function blank(now: number): Omit<Environment, "name" | "uid" | "quota" | "cluster"> {
  return {
    generation: 0,
    labels: {},
    annotations: {},
    createTime: now,
    updateTime: now,
    conditions: [],
    currentOperation: null,
    nextOperation: null,
    lastOperation: null,
    state: "CREATING",
    expireTime: null,
    deletionProtection: false,
  };
}

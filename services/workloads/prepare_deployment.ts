import { environmentIdOf, environmentName, etagOf, idOf, type Workload } from "@mpc/domain";
import { assertIdle, type Prepared } from "../mutations/admit.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { assertDeployable, assertEtag, getExisting, notFound } from "../resources/preconditions.ts";
import type { Deployment } from "../sagas/mod.ts";
import { quotaEffects } from "./quota_effects.ts";

export interface DeploymentRequest {
  /** Name of the workload. */
  readonly name: string;
  /** The action, in messages. */
  readonly action: string;
  readonly verb: "deploy" | "rollback" | "scale" | "restart" | "reconcile";
  readonly etag: string;
  readonly timeoutMs: number | null;
  /** Takes over fields that somebody else manages on the cluster. */
  readonly forceConflicts: boolean;
  /** Returns the desired fields, given the current workload. */
  readonly change: (current: Workload | null) => Deployment | Promise<Deployment>;
}

/** Checks a deployment against the current state; used by every verb that changes what runs. */
export async function prepareDeployment(
  deps: ServiceDeps,
  caller: Caller,
  request: DeploymentRequest,
): Promise<Prepared> {
  const { name, action, verb, etag, timeoutMs, forceConflicts } = request;
  const environment = environmentIdOf(name);
  const { value: parent } = await getExisting(
    deps.store.environments,
    "environment",
    environmentName(environment),
    `${action} '${idOf(name)}' into`,
    caller,
  );
  assertDeployable(parent, `${action} '${idOf(name)}'`);
  const current = await deps.store.workloads.get(name, { signal: caller.signal }) ?? null;
  if (!current && verb !== "deploy") throw notFound("workload", name, action);
  assertEtag(etag, current && etagOf(current.value.uid, current.version), name, action);
  if (current) assertIdle(current.value, action);
  const wanted = await request.change(current?.value ?? null);
  const quota = await quotaEffects(deps, caller, parent, name, wanted.spec);
  const uid = current?.value.uid ?? deps.ids.uuid();
  return {
    kind: "workload.deploy",
    target: name,
    targetUid: uid,
    input: {
      verb,
      forceConflicts,
      environment,
      workload: idOf(name),
      uid,
      revision: (current?.value.lastRevision ?? 0) + 1,
      wanted: json(wanted),
      previous: current && {
        ...json(current.value),
        state: current.value.state,
        revision: current.value.activeRevision,
      },
    },
    current,
    lock: "take",
    timeoutMs,
    quota,
  };
}

/** Only the fields of a deployment, because the argument may be a whole record. */
function json({ labels, annotations, spec, restartToken }: Deployment) {
  return { labels, annotations, spec, restartToken };
}

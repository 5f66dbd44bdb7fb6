import {
  type Environment,
  formatCpu,
  formatMemory,
  idOf,
  MpcError,
  parseCpuMillis,
  parseMemoryBytes,
  type QuotaEffect,
  requestsOf,
  type Workload,
  type WorkloadSpec,
} from "@mpc/domain";
import { allOf } from "../resources/read_all.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";

/**
 * The effects of a deployment on its environment's quota, as far as the records tell. What else the
 * cluster counts, it counts when the workload is applied, and in a plan: the pods of an update beside
 * those that it replaces, charts, and pods of others.
 * @throws {MpcError} RESOURCE_EXHAUSTED `QUOTA_EXCEEDED`, permanent
 */
export async function quotaEffects(
  deps: ServiceDeps,
  caller: Caller,
  environment: Environment,
  name: string,
  wanted: WorkloadSpec,
): Promise<readonly QuotaEffect[]> {
  const { quota } = environment;
  if (quota.workloads === null && quota.cpu === null && quota.memory === null) return [];
  const workloads = await allOf(
    deps.store.workloads,
    caller.signal,
    `${environment.name}/workloads/`,
  );
  const others = workloads.filter(isOnCluster);
  const rest = others.filter((workload) => workload.name !== name);
  const before = usage(others.map((workload) => workload.spec));
  const after = usage([...rest.map((workload) => workload.spec), wanted]);
  const effects: QuotaEffect[] = [];
  const add = (
    resource: QuotaEffect["resource"],
    limit: string | number | null,
    max: number | undefined,
    format: (amount: number) => string,
  ) => {
    if (limit === null || max === undefined) return;
    effects.push({
      resource,
      before: format(before[resource]),
      after: format(after[resource]),
      limit: format(max),
    });
    if (after[resource] > max && after[resource] > before[resource]) {
      throw exceeded(environment, name, resource, format(after[resource]), format(max));
    }
  };
  add("workloads", quota.workloads, quota.workloads ?? undefined, String);
  add("cpu", quota.cpu, parseCpuMillis(quota.cpu ?? ""), formatCpu);
  add("memory", quota.memory, parseMemoryBytes(quota.memory ?? ""), formatMemory);
  return effects;
}

function usage(specs: readonly WorkloadSpec[]): Record<QuotaEffect["resource"], number> {
  const total = { workloads: specs.length, cpu: 0, memory: 0 };
  for (const { cpu, memory } of specs.map(requestsOf)) {
    total.cpu += cpu;
    total.memory += memory;
  }
  return total;
}

/** Whether a workload may have something on the cluster: a failed first deployment is undone. */
const isOnCluster = ({ state, activeRevision }: Workload): boolean =>
  state !== "DEPLOY_FAILED" || activeRevision > 0;

function exceeded(
  environment: Environment,
  name: string,
  resource: string,
  after: string,
  limit: string,
): MpcError {
  const id = idOf(environment.name);
  return new MpcError("RESOURCE_EXHAUSTED", {
    reason: "QUOTA_EXCEEDED",
    message: `Cannot deploy '${
      idOf(name)
    }': environment '${id}' would use ${after} of ${resource}, its quota is ${limit}; raise it with 'mpctl env update ${id} --max-${resource} ${after}'`,
    retryable: false,
    metadata: { environment: environment.name, resource, after, limit },
  });
}

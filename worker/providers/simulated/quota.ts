import { formatCpu, formatMemory, parseCpuMillis, parseMemoryBytes, type Quota } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import { quotaExceeded } from "./simulated_errors.ts";

/**
 * Enforces a quota like a real cluster. After a quota was lowered, existing workloads may exceed it
 * and may be applied again; only an increase is rejected.
 * @throws {MpcError} RESOURCE_EXHAUSTED `QUOTA_EXCEEDED`, permanent
 */
export function assertQuota(
  environment: string,
  quota: Quota,
  before: readonly WorkloadIntent[],
  after: readonly WorkloadIntent[],
): void {
  const exceeds = (used: (intents: readonly WorkloadIntent[]) => number, limit?: number) =>
    limit !== undefined && used(after) > limit && used(after) > used(before);
  if (exceeds(({ length }) => length, quota.workloads ?? undefined)) {
    throw quotaExceeded(environment, "workloads", String(quota.workloads));
  }
  const maxCpu = parseCpuMillis(quota.cpu ?? "");
  const cpu = (intents: readonly WorkloadIntent[]) =>
    sum(intents, ({ resources }) => parseCpuMillis(resources.cpu ?? ""));
  if (exceeds(cpu, maxCpu)) throw quotaExceeded(environment, "cpu", formatCpu(maxCpu ?? 0));
  const maxMemory = parseMemoryBytes(quota.memory ?? "");
  const memory = (intents: readonly WorkloadIntent[]) =>
    sum(intents, ({ resources }) => parseMemoryBytes(resources.memory ?? ""));
  if (exceeds(memory, maxMemory)) {
    throw quotaExceeded(environment, "memory", formatMemory(maxMemory ?? 0));
  }
}

function sum(
  intents: readonly WorkloadIntent[],
  amount: (spec: WorkloadIntent["spec"]) => number | undefined,
): number {
  return intents.reduce((total, { spec }) => total + copiesOf(spec) * (amount(spec) ?? 0), 0);
}

/** An autoscaled workload counts with its maximum. */
const copiesOf = ({ autoscaling, replicas }: WorkloadIntent["spec"]): number =>
  autoscaling?.maxReplicas ?? replicas;

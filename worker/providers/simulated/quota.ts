import { formatCpu, formatMemory, parseCpuMillis, parseMemoryBytes, type Quota } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import { quotaExceeded } from "./simulated_errors.ts";

/**
 * The last word on a quota, as a real cluster has it.
 * @throws {MpcError} RESOURCE_EXHAUSTED `QUOTA_EXCEEDED`, permanent
 */
export function assertQuota(
  environment: string,
  quota: Quota,
  intents: readonly WorkloadIntent[],
): void {
  const cpu = sum(intents, ({ resources }) => parseCpuMillis(resources.cpu ?? ""));
  const memory = sum(intents, ({ resources }) => parseMemoryBytes(resources.memory ?? ""));
  const maxCpu = parseCpuMillis(quota.cpu ?? "") ?? Infinity;
  const maxMemory = parseMemoryBytes(quota.memory ?? "") ?? Infinity;
  if (intents.length > (quota.workloads ?? Infinity)) {
    throw quotaExceeded(environment, "workloads", String(quota.workloads));
  }
  if (cpu > maxCpu) throw quotaExceeded(environment, "cpu", formatCpu(maxCpu));
  if (memory > maxMemory) throw quotaExceeded(environment, "memory", formatMemory(maxMemory));
}

function sum(
  intents: readonly WorkloadIntent[],
  amount: (spec: WorkloadIntent["spec"]) => number | undefined,
): number {
  return intents.reduce((total, { spec }) => total + copiesOf(spec) * (amount(spec) ?? 0), 0);
}

/** As many as there may be. */
const copiesOf = ({ autoscaling, replicas }: WorkloadIntent["spec"]): number =>
  autoscaling?.maxReplicas ?? replicas;

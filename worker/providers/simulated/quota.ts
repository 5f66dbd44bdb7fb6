import {
  formatCpu,
  formatMemory,
  parseCpuMillis,
  parseMemoryBytes,
  type Quota,
  requestsOf,
} from "@mpc/domain";
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
  const cpu = (intents: readonly WorkloadIntent[]) => sum(intents, "cpu");
  if (exceeds(cpu, maxCpu)) throw quotaExceeded(environment, "cpu", formatCpu(maxCpu ?? 0));
  const maxMemory = parseMemoryBytes(quota.memory ?? "");
  const memory = (intents: readonly WorkloadIntent[]) => sum(intents, "memory");
  if (exceeds(memory, maxMemory)) {
    throw quotaExceeded(environment, "memory", formatMemory(maxMemory ?? 0));
  }
}

const sum = (intents: readonly WorkloadIntent[], resource: "cpu" | "memory"): number =>
  intents.reduce((total, { spec }) => total + requestsOf(spec)[resource], 0);

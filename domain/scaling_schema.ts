/** Schemas of the number of copies of a workload. */
import { z } from "zod";
import { check } from "./parse_input.ts";

/** The maximum number of copies of one workload. */
export const MAX_REPLICAS = 1_000;

const DEFAULT_TARGET_CPU_PERCENT = 80;

export const autoscalingSchema = z.strictObject({
  minReplicas: z.int().min(1).max(MAX_REPLICAS),
  maxReplicas: z.int().min(1).max(MAX_REPLICAS),
  targetCpuPercent: z.int().min(0).max(100).default(0).transform(
    (percent) => percent || DEFAULT_TARGET_CPU_PERCENT,
  ),
}).superRefine(({ minReplicas, maxReplicas }, context) => {
  if (maxReplicas >= minReplicas) return;
  const message = `must be at least min_replicas, which is ${minReplicas}`;
  context.addIssue({ code: "custom", path: ["maxReplicas"], ...check("MINIMUM", message) });
});

export const disruptionBudgetSchema = z.strictObject({
  maxUnavailable: z.int().refine(
    (count) => count >= 1 && count <= MAX_REPLICAS,
    check("RANGE", `must be 1 to ${MAX_REPLICAS}: with none, no node could be drained`),
  ),
});

import { z } from "zod";
import { annotationsSchema, idSchema, labelsSchema } from "./common_schema.ts";
import { check, parseInput } from "./parse_input.ts";
import { specSchema } from "./spec_schema.ts";
import type { WorkloadSpec } from "./workload.ts";

/** The validated fields of a deployment, with defaults. */
export interface WorkloadInput {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: WorkloadSpec;
}

const deployment = z.strictObject({
  workloadId: idSchema,
  workload: z.strictObject({
    labels: labelsSchema.default({}),
    annotations: annotationsSchema.default({}),
    spec: specSchema,
  }),
}).superRefine(({ workloadId, workload }, context) => {
  // The name of a Service is an RFC 1035 label, which is stricter than other names.
  if (workload.spec.ports.length === 0 || !/^[0-9]/.test(workloadId)) return;
  const message = "must begin with a letter if the workload has ports: it becomes a DNS name";
  context.addIssue({ code: "custom", path: ["workloadId"], ...check("DNS_1035_LABEL", message) });
});

/**
 * Validates `{ workloadId, workload }` of a deployment, and fills in every default.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`
 */
export function parseWorkloadInput(action: string, input: unknown): WorkloadInput {
  const { workloadId, workload } = parseInput(action, deployment, input);
  return { id: workloadId, ...workload };
}

/**
 * Validates a spec alone.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`
 */
export function parseWorkloadSpec(action: string, input: unknown): WorkloadSpec {
  return parseInput(action, specSchema, input);
}

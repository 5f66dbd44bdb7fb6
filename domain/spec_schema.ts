/** Schema of what a workload runs: its fields, then the rules between them. */
import { check } from "./parse_input.ts";
import { type SpecFields, specFields } from "./spec_fields.ts";
import { specProblems } from "./spec_problems.ts";
import type { WorkloadSpec } from "./workload.ts";

export const specSchema = specFields.superRefine((spec, context) => {
  for (const { path, rule, message } of specProblems(spec)) {
    context.addIssue({ code: "custom", path: [...path], ...check(rule, message) });
  }
}).transform(fillIn);

function fillIn({ replicas = 1, ...spec }: SpecFields): WorkloadSpec {
  const { chart, autoscaling, ingress, ports } = spec;
  const firstPort = ports.find(({ protocol }) => protocol === "TCP")?.port ?? 0;
  return {
    ...spec,
    replicas: chart ? 0 : autoscaling?.minReplicas ?? replicas,
    ingress: ingress && { ...ingress, port: ingress.port || firstPort },
  };
}

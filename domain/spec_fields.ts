import { z } from "zod";
import { chartSchema } from "./chart_schema.ts";
import { cpuSchema, memorySchema } from "./common_schema.ts";
import { envFromSchema, envSchema } from "./env_schema.ts";
import { isImageReference } from "./image.ts";
import { ingressSchema } from "./ingress_schema.ts";
import { check } from "./parse_input.ts";
import { portsSchema } from "./port_schema.ts";
import { autoscalingSchema, disruptionBudgetSchema, MAX_REPLICAS } from "./scaling_schema.ts";
import { volumesSchema } from "./volume_schema.ts";

const SECOND = 1_000;

const healthCheck = z.strictObject({
  path: z.string().max(1_024).refine(
    (path) => path.startsWith("/"),
    check("PATH", "must begin with '/'"),
  ),
  port: z.int(),
  periodMs: z.int().min(SECOND).max(3_600 * SECOND).default(10 * SECOND),
}).nullable().default(null);

/** The schema of each field; `spec_problems.ts` has the rules between fields. */
export const specFields = z.strictObject({
  image: z.string().refine(
    (image) => image === "" || isImageReference(image),
    check("IMAGE_REFERENCE", "must be an image reference such as nginx:1.27"),
  ).default(""),
  replicas: z.int().min(0).max(MAX_REPLICAS).optional(),
  ports: portsSchema.default([]),
  env: envSchema.default({}),
  envFrom: envFromSchema.default([]),
  resources: z.strictObject({ cpu: cpuSchema, memory: memorySchema })
    .default({ cpu: null, memory: null }),
  healthCheck,
  livenessCheck: healthCheck,
  command: z.array(z.string().max(4_096)).max(64).default([]),
  args: z.array(z.string().max(4_096)).max(256).default([]),
  volumes: volumesSchema.default([]),
  ingress: ingressSchema.nullable().default(null),
  autoscaling: autoscalingSchema.nullable().default(null),
  disruptionBudget: disruptionBudgetSchema.nullable().default(null),
  chart: chartSchema.nullable().default(null),
  progressDeadlineMs: z.int().min(10 * SECOND).max(3_600 * SECOND).default(600 * SECOND),
});

/** A spec's fields before the values that depend on other fields are filled in. */
export type SpecFields = z.output<typeof specFields>;

import { z } from "zod";
import {
  annotationsSchema,
  bytesOf,
  cpuSchema,
  idSchema,
  labelsSchema,
  memorySchema,
} from "./common_schema.ts";
import { isImageReference } from "./image.ts";
import { check, parseInput } from "./parse_input.ts";
import type { WorkloadSpec } from "./workload.ts";

/** What is asked for when a workload is deployed, checked and with defaults. */
export interface WorkloadInput {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: WorkloadSpec;
}

const MAX_ENV_BYTES = 64 * 1024;

const port = z.strictObject({
  name: z.string().refine(
    (name) => name === "" || /^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/.test(name),
    check("PORT_NAME", "must be at most 15 lower case letters, digits and '-'"),
  ).optional(),
  port: z.int().refine((n) => n >= 1 && n <= 65_535, check("PORT_RANGE", "must be 1 to 65535")),
  protocol: z.enum(["TCP", "UDP", ""]).optional(),
}).transform(({ name, port, protocol }) => ({
  name: name || `port-${port}`,
  port,
  protocol: protocol || "TCP" as const,
}));

const ports = z.array(port).max(32).superRefine((ports, context) => {
  ports.forEach((port, index) => {
    const before = ports.slice(0, index);
    if (before.some((other) => other.port === port.port && other.protocol === port.protocol)) {
      const message = `repeats ${port.port}/${port.protocol}, must be unique`;
      context.addIssue({ code: "custom", path: [index, "port"], ...check("UNIQUE", message) });
    } else if (before.some((other) => other.name === port.name)) {
      const message = `repeats '${port.name}', must be unique`;
      context.addIssue({ code: "custom", path: [index, "name"], ...check("UNIQUE", message) });
    }
  });
});

const env = z.record(z.string(), z.string()).superRefine((env, context) => {
  if (Object.keys(env).length > 256) {
    context.addIssue({ code: "custom", ...check("MAXIMUM", "must have at most 256 entries") });
  }
  if (bytesOf(env) > MAX_ENV_BYTES) {
    context.addIssue({ code: "custom", ...check("MAXIMUM", "must have at most 64 KiB in all") });
  }
  for (const key of Object.keys(env)) {
    if (/^[A-Za-z_][A-Za-z0-9_]{0,255}$/.test(key)) continue;
    const message = "has a key that is no variable name: letters, digits and _, no digit first";
    context.addIssue({ code: "custom", path: [key], ...check("VARIABLE_NAME", message) });
  }
});

const SECOND = 1_000;

const spec = z.strictObject({
  image: z.string().refine(
    isImageReference,
    check("IMAGE_REFERENCE", "must be an image reference such as nginx:1.27"),
  ),
  replicas: z.int().min(0).max(1_000).default(1),
  ports: ports.default([]),
  env: env.default({}),
  resources: z.strictObject({ cpu: cpuSchema, memory: memorySchema })
    .default({ cpu: null, memory: null }),
  healthCheck: z.strictObject({
    path: z.string().max(1_024).refine(
      (path) => path.startsWith("/"),
      check("PATH", "must begin with '/'"),
    ),
    port: z.int(),
    periodMs: z.int().min(SECOND).max(3_600 * SECOND).default(10 * SECOND),
  }).nullable().default(null),
  command: z.array(z.string().max(4_096)).max(64).default([]),
  args: z.array(z.string().max(4_096)).max(256).default([]),
  progressDeadlineMs: z.int().min(10 * SECOND).max(3_600 * SECOND).default(600 * SECOND),
}).superRefine(({ healthCheck, ports }, context) => {
  if (!healthCheck || ports.some(({ port }) => port === healthCheck.port)) return;
  context.addIssue({
    code: "custom",
    path: ["healthCheck", "port"],
    ...check("ONE_OF_PORTS", "must be one of the workload's ports"),
  });
});

const deployment = z.strictObject({
  workloadId: idSchema,
  workload: z.strictObject({
    labels: labelsSchema.default({}),
    annotations: annotationsSchema.default({}),
    spec,
  }),
});

/**
 * Checks `{ workloadId, workload }` of a deployment, and fills in every default.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`
 */
export function parseWorkloadInput(action: string, input: unknown): WorkloadInput {
  const { workloadId, workload } = parseInput(action, deployment, input);
  return { id: workloadId, ...workload };
}

/**
 * Checks a spec alone.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`
 */
export function parseWorkloadSpec(action: string, input: unknown): WorkloadSpec {
  return parseInput(action, spec, input);
}

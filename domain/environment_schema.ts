import { z } from "zod";
import { DEFAULT_CLUSTER } from "./cluster_name.ts";
import {
  annotationsSchema,
  cpuSchema,
  idSchema,
  labelsSchema,
  memorySchema,
} from "./common_schema.ts";
import { isDnsLabel } from "./dns.ts";
import { NO_QUOTA, type Quota } from "./environment.ts";
import { MAX_ID_LENGTH } from "./ids.ts";
import { check, parseInput } from "./parse_input.ts";
import { type Instant, TTL_LIMITS_MS } from "./time.ts";

/** The validated fields for a new environment, with defaults. */
export interface EnvironmentInput {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** How long it lives from now; null if not given. */
  readonly ttlMs: number | null;
  /** When it expires; null, with `ttlMs` null too, for never. */
  readonly expireTime: Instant | null;
  readonly deletionProtection: boolean;
  readonly quota: Quota;
  readonly cluster: string;
}

/**
 * The fields that an update changes; fields that are absent stay. `expireTime: null` removes the
 * expiry; `cluster` may only repeat the current value.
 */
export type EnvironmentChange = Partial<Omit<EnvironmentInput, "id">>;

/** Entries of maps and fields of messages that an update changes; null removes an entry. */
export interface EnvironmentPatch {
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
  /** As requests have it: 0 and the empty string are "no limit". */
  readonly quota?: { readonly workloads?: number; readonly cpu?: string; readonly memory?: string };
}

/** What a patch is applied to. */
type Patchable = Pick<EnvironmentInput, "labels" | "annotations" | "quota">;

const ttl = z.number().refine(
  (ms) => ms >= TTL_LIMITS_MS.min && ms <= TTL_LIMITS_MS.max,
  check("TTL", "must be 1 minute to 365 days"),
).nullable();

/** The latest time that a `Date` can represent (ECMA-262, "Time Values and Time Range"). */
const LAST_INSTANT = 8.64e15;

const quota = z.strictObject({
  workloads: z.int().min(0).max(10_000).nullish().transform((count) => count || null),
  cpu: cpuSchema,
  memory: memorySchema,
});

const fields = z.strictObject({
  labels: labelsSchema.optional(),
  annotations: annotationsSchema.optional(),
  ttlMs: ttl.optional(),
  // Whether it is late enough depends on the current time, which the use case checks.
  expireTime: z.number().refine(
    (time) => Math.abs(time) <= LAST_INSTANT,
    check("TIMESTAMP", "must be a valid timestamp"),
  ).nullable().optional(),
  deletionProtection: z.boolean().optional(),
  quota: quota.optional(),
  cluster: z.string().refine(
    (name) => name === "" || isDnsLabel(name, MAX_ID_LENGTH),
    check("DNS_1123_LABEL", `must be at most ${MAX_ID_LENGTH} lower case letters, digits and '-'`),
  ).optional(),
});

const environment = fields.refine(
  ({ ttlMs, expireTime }) => typeof ttlMs !== "number" || typeof expireTime !== "number",
  {
    ...check("EXCLUSIVE", "must not be set together with 'environment.ttl'"),
    path: ["expireTime"],
  },
);

const creation = z.strictObject({ environmentId: idSchema, environment });
const change = z.strictObject({ environment });

/**
 * Validates `{ environmentId, environment }` of a creation.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`
 */
export function parseEnvironmentInput(action: string, input: unknown): EnvironmentInput {
  const { environmentId, environment } = parseInput(action, creation, input);
  return {
    id: environmentId,
    labels: environment.labels ?? {},
    annotations: environment.annotations ?? {},
    ttlMs: environment.ttlMs ?? null,
    expireTime: environment.expireTime ?? null,
    deletionProtection: environment.deletionProtection ?? false,
    quota: environment.quota ?? NO_QUOTA,
    cluster: environment.cluster || DEFAULT_CLUSTER,
  };
}

/**
 * Validates `{ environment }` of an update.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`
 */
export function parseEnvironmentChange(action: string, input: unknown): EnvironmentChange {
  const { environment } = parseInput(action, change, input);
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined),
  );
}

/**
 * The changed fields of an update whose patch is applied to `base`, to be checked as a whole.
 * @param change whole fields; they win over parts of them
 */
export function patched(
  base: Partial<Patchable>,
  change: Readonly<Record<string, unknown>>,
  { labels = {}, annotations = {}, quota = {} }: EnvironmentPatch,
): Readonly<Record<string, unknown>> {
  const isChanged = (patch: object) => Object.keys(patch).length > 0;
  return {
    ...(isChanged(labels) && { labels: merged(base.labels, labels) }),
    ...(isChanged(annotations) && { annotations: merged(base.annotations, annotations) }),
    ...(isChanged(quota) && { quota: { ...base.quota, ...quota } }),
    ...change,
  };
}

function merged(
  base: Readonly<Record<string, string>> = {},
  patch: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    Object.entries({ ...base, ...patch }).filter(([, value]) => value !== null),
  );
}

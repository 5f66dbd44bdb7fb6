import {
  type Environment,
  type EnvironmentPatch,
  etagOf,
  idOf,
  type Instant,
  invalidArgument,
  MpcError,
  parseEnvironmentChange,
  parseEnvironmentInput,
  patched,
  type PlannedChange,
} from "@mpc/domain";
import { assertIdle, type Prepared } from "../mutations/admit.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import type { Stored } from "@mpc/storage";
import { prepareCreation } from "./create_environment.ts";
import { wantedExpireTime } from "./expire_time.ts";
import { mutate, type MutationOptions, type MutationResult } from "../mutations/mutate.ts";
import { assertEtag, assertName, notFound } from "../resources/preconditions.ts";

export interface UpdateEnvironmentRequest extends MutationOptions {
  readonly name: string;
  readonly etag: string;
  /** The fields to change, in camelCase; `expireTime: null` removes the expiry. */
  readonly change: Readonly<Record<string, unknown>>;
  /** Parts of fields to change. */
  readonly patch?: EnvironmentPatch;
  /** Takes over fields that somebody else manages on the cluster. */
  readonly forceConflicts?: boolean;
  /** What to create where there is no such environment; it is an error where this is not set. */
  readonly creation?: unknown;
}

const ACTION = "update environment";

/**
 * Changes an environment's labels, annotations, expiry, quota and protection.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `ENVIRONMENT_NOT_FOUND`,
 *   ABORTED `ETAG_MISMATCH`, FAILED_PRECONDITION `ENVIRONMENT_NOT_READY`, and what
 *   {@linkcode mutate} throws
 */
export async function updateEnvironment(
  deps: ServiceDeps,
  caller: Caller,
  request: UpdateEnvironmentRequest,
): Promise<MutationResult> {
  const { name, etag, patch = {}, forceConflicts = false } = request;
  assertName("environment", name, ACTION, "environment.name");
  // All that is wrong is told at once; limits of the whole are checked when the whole is known.
  const change = parseEnvironmentChange(ACTION, {
    environment: patched({}, request.change, patch),
  });
  const creation = request.creation === undefined ? null : parseEnvironmentInput(ACTION, {
    environmentId: idOf(name),
    environment: request.creation,
  });
  const method = {
    name: "UpdateEnvironment",
    body: { name, etag, change, patch, creation, ...(forceConflicts && { forceConflicts }) },
    access: {
      permission: "environments.update",
      resource: name,
      // What the environment is to have in the end is decided when its record is known.
      ...(creation && { labels: creation.labels }),
    },
  } as const;
  return await mutate(deps, caller, request, method, async () => {
    const current = await deps.store.environments.get(name, { signal: caller.signal });
    if (current) return await prepareUpdate(deps, caller, request, current);
    if (creation === null) throw notFound("environment", name, ACTION);
    assertEtag(etag, null, name, ACTION);
    await deps.authorizer.authorize(caller, {
      permission: "environments.create",
      resource: name,
      labels: creation.labels,
    });
    return await prepareCreation(deps, caller, ACTION, creation);
  });
}

async function prepareUpdate(
  deps: ServiceDeps,
  caller: Caller,
  { name, etag, change, patch = {}, forceConflicts = false }: UpdateEnvironmentRequest,
  current: Stored<Environment>,
): Promise<Prepared> {
  const { value, version } = current;
  assertEtag(etag, etagOf(value.uid, version), name, ACTION);
  assertIdle(value, ACTION);
  const { ttlMs, expireTime, cluster, quota = value.quota, ...rest } = parseEnvironmentChange(
    ACTION,
    { environment: patched(value, change, patch) },
  );
  assertSameCluster(value, cluster);
  const previousState = updatableState(value);
  const previous = changeable(value);
  const wanted = {
    ...previous,
    ...rest,
    quota: { ...quota },
    expireTime: nextExpireTime(value, { ttlMs, expireTime }, deps.clock.now()),
  };
  if (rest.labels) {
    const { labels } = wanted;
    // Nobody moves an environment out of, or into, the selectors that permissions depend on.
    const access = { permission: "environments.update", resource: name, labels } as const;
    await deps.authorizer.authorize(caller, access);
  }
  return {
    kind: "environment.update",
    target: name,
    targetUid: value.uid,
    input: {
      environment: idOf(name),
      uid: value.uid,
      cluster: value.cluster,
      wanted,
      previous,
      previousState,
      forceConflicts,
    },
    current,
    lock: "take",
    timeoutMs: null,
    recordChanges: recordChanges(name, previous, wanted),
  };
}

type Changeable = ReturnType<typeof changeable>;

/** Changes of the record that do not concern the cluster, so no step plans them. */
function recordChanges(
  name: string,
  before: Changeable,
  after: Changeable,
): readonly PlannedChange[] {
  const told = (fields: Changeable) => ({
    annotations: JSON.stringify(fields.annotations),
    expire_time: fields.expireTime === null ? "" : JSON.stringify(new Date(fields.expireTime)),
    deletion_protection: String(fields.deletionProtection),
  });
  const then = told(after);
  const fields = Object.entries(told(before))
    .map(([path, was]) => ({ path, before: was, after: then[path as keyof typeof then] }))
    .filter((field) => field.before !== field.after);
  return fields.length > 0 ? [{ action: "UPDATE", object: name, fields }] : [];
}

function nextExpireTime(
  { expireTime: current }: Environment,
  { ttlMs, expireTime }: {
    readonly ttlMs: number | null | undefined;
    readonly expireTime: Instant | null | undefined;
  },
  now: Instant,
): Instant | null {
  if (ttlMs === undefined && expireTime === undefined) return current;
  // Writing the current value back changes nothing, however soon it is.
  if (expireTime != null && expireTime === current) return current;
  const wanted = { ttlMs: ttlMs ?? null, expireTime: expireTime ?? null };
  return wantedExpireTime(ACTION, now, wanted);
}

function changeable(environment: Environment) {
  const { labels, annotations, quota, expireTime, deletionProtection } = environment;
  return { labels, annotations, quota: { ...quota }, expireTime, deletionProtection };
}

/** An environment cannot move to another cluster. */
function assertSameCluster({ cluster }: Environment, wanted: string | undefined): void {
  if (!wanted || wanted === cluster) return;
  throw invalidArgument(ACTION, [{
    field: "environment.cluster",
    value: wanted,
    rule: "IMMUTABLE",
    hint: `is '${cluster}' since the environment was created, and is immutable; create another one`,
  }]);
}

function updatableState({ name, state }: Environment): "READY" | "UPDATE_FAILED" {
  if (state === "READY" || state === "UPDATE_FAILED") return state;
  // No operation holds it: the operation of the update was lost, so the update has failed.
  if (state === "UPDATING") return "UPDATE_FAILED";
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "ENVIRONMENT_NOT_READY",
    message: `Cannot ${ACTION} '${idOf(name)}': it is ${state}, must be READY`,
    metadata: { environment: name, state },
  });
}

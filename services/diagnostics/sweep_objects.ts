import { type JsonObject, MpcError, type NewEvent, type Operation, PLATFORM } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import type { Prepared } from "../mutations/admit.ts";
import { fingerprint } from "../mutations/fingerprint.ts";
import { mutate, type MutationOptions, type MutationResult } from "../mutations/mutate.ts";
import type { ClusterObject } from "../ports/mod.ts";
import { allOf } from "../resources/read_all.ts";
import { listed as inWords } from "../sagas/listed_objects.ts";
import {
  containsUnmanaged,
  type PlatformSweepInput,
  skippedEvent,
  type SweptLeftover,
} from "../sagas/mod.ts";
import { unknownObjects, unreadFinding } from "./cluster_findings.ts";
import type { Finding } from "./findings.ts";
import { sharedFinding, sharedNamespaces } from "./shared_namespaces.ts";

/** The objects without a record that one resource has left; the hash stands for their state. */
export type Leftover = SweptLeftover;

/** A leftover as it was listed. */
export type Listed = Pick<Leftover, "targetUid" | "hash">;

/** What a sweep would remove. */
export interface Leftovers {
  readonly leftovers: readonly Leftover[];
  /** Clusters that could not be read, and namespaces that contain objects of others. */
  readonly findings: readonly Finding[];
}

/** What a sweep removes, and what it does not touch. */
export interface Sweep {
  /** Null if everything that was listed is gone, has changed, or contains objects of others. */
  readonly operation: Stored<Operation> | null;
  readonly leftovers: readonly Leftover[];
  /** Leftovers that are gone, have changed since they were listed, or contain objects of others. */
  readonly skipped: readonly Listed[];
}

const ACCESS = { permission: "platform.sweep", resource: null } as const;

/**
 * Lists the objects without a record. Objects of other installations are never among them, nor are
 * namespaces that contain objects of others.
 * @throws {MpcError} UNAVAILABLE `NO_WORKER`, and as {@linkcode ClusterReader} documents
 */
export async function listLeftovers(deps: ServiceDeps, caller: Caller): Promise<Leftovers> {
  await deps.authorizer.authorize(caller, ACCESS);
  const { leftovers, findings } = await find(deps, caller);
  return { leftovers, findings };
}

/**
 * Removes objects without a record from the clusters, as an operation. Only what was listed before is
 * removed, and only as it was listed; the events `SweepRequested` say who asked for what.
 * @throws {MpcError} INVALID_ARGUMENT `NOTHING_TO_SWEEP`, and as {@linkcode mutate} and
 *   {@linkcode listLeftovers} document
 */
export async function sweepObjects(
  deps: ServiceDeps,
  caller: Caller,
  request: Pick<MutationOptions, "requestId"> & { readonly leftovers: readonly Listed[] },
): Promise<Sweep> {
  try {
    const { operation } = await requestSweep(deps, caller, request);
    const { leftovers = [] } = (operation?.value.input ?? {}) as Partial<PlatformSweepInput>;
    const uids = new Set(leftovers.map(({ targetUid }) => targetUid));
    const skipped = request.leftovers.filter(({ targetUid }) => !uids.has(targetUid));
    return { operation, leftovers, skipped };
  } catch (error) {
    if (!(error instanceof AllChanged)) throw error;
    return { operation: null, leftovers: [], skipped: request.leftovers };
  }
}

/** Signals through `mutate` that nothing is as it was listed. */
class AllChanged extends MpcError<"ABORTED"> {}

/**
 * Requests a sweep like any other change.
 * @throws {MpcError} as {@linkcode sweepObjects} documents, and ABORTED `PLAN_OUTDATED` if nothing is
 *   as it was listed
 */
export async function requestSweep(
  deps: ServiceDeps,
  caller: Caller,
  request: MutationOptions & { readonly leftovers: readonly Listed[] },
): Promise<MutationResult> {
  const leftovers = request.leftovers.map(({ targetUid, hash }) => ({ targetUid, hash }));
  const method = { name: "SweepObjects", body: { leftovers }, access: ACCESS };
  return await mutate(deps, caller, request, method, async (): Promise<Prepared> => {
    if (leftovers.length === 0) throw nothingToSweep();
    const { leftovers: found, kept } = await find(deps, caller);
    const isListed = ({ targetUid, hash }: Leftover) =>
      leftovers.some((listed) => listed.targetUid === targetUid && listed.hash === hash);
    const unchanged = found.filter(isListed);
    if (unchanged.length === 0) throw allChanged();
    const changed = found.filter((leftover) => !isListed(leftover))
      .map((leftover) => ({ leftover, why: "it has changed since it was listed" }));
    const named = new Set(leftovers.map(({ targetUid }) => targetUid));
    const skipped = [...changed, ...kept].filter(({ leftover }) => named.has(leftover.targetUid));
    return {
      kind: "platform.sweep",
      target: PLATFORM,
      targetUid: "",
      input: { leftovers: unchanged.map((leftover): JsonObject => ({ ...leftover })) },
      current: null,
      lock: "none",
      timeoutMs: null,
      notes: (operation) => [
        ...unchanged.map((leftover) => requested(operation, leftover)),
        ...skipped.map(({ leftover, why }) => skippedEvent(operation, leftover, why)),
      ],
    };
  });
}

/** A leftover that no sweep removes. */
interface Kept {
  readonly leftover: Leftover;
  readonly why: string;
}

async function find(
  { store, cluster }: ServiceDeps,
  { signal }: Caller,
): Promise<Leftovers & { readonly kept: readonly Kept[] }> {
  const { objects, unread } = await cluster.inventory({ signal });
  // Records are read after the objects, so that an object that was just created has one.
  const resources = [
    ...await allOf(store.environments, signal),
    ...await allOf(store.workloads, signal),
  ];
  const lost = unknownObjects(resources, objects);
  const shared = await sharedNamespaces(cluster, lost, signal);
  const keyOf = ({ targetUid, cluster }: ClusterObject) => `${targetUid} ${cluster}`;
  const inside = new Map(shared.map((it) => [keyOf(it.namespace), it.unmanaged]));
  const all = [...Map.groupBy(lost, keyOf)].flatMap(([key, objects]) =>
    leftoverOf(objects).map((leftover) => ({ leftover, unmanaged: inside.get(key) }))
  );
  return {
    leftovers: all.flatMap(({ leftover, unmanaged }) => unmanaged ? [] : [leftover]),
    kept: all.flatMap(({ leftover, unmanaged }) =>
      unmanaged ? [{ leftover, why: containsUnmanaged(unmanaged) }] : []
    ),
    findings: [...unread.map(unreadFinding), ...shared.map(sharedFinding)],
  };
}

function leftoverOf(objects: readonly ClusterObject[]): readonly Leftover[] {
  const [first] = objects;
  if (!first) return [];
  const { target, targetUid, cluster } = first;
  const texts = objects.map(({ object }) => object).sort();
  const states = objects.map(({ cluster, object, revision, version }) => [
    cluster,
    object,
    revision,
    version,
  ]);
  const hash = fingerprint([targetUid, states.map((state) => JSON.stringify(state)).sort()]);
  const versions = Object.fromEntries(objects.map(({ object, version }) => [object, version]));
  return [{ target, targetUid, cluster, objects: texts, versions, hash }];
}

function requested(
  { name, actor, createTime }: Operation,
  { target, cluster, objects }: Leftover,
): NewEvent {
  return {
    time: createTime,
    type: "NOTICED",
    reason: "SweepRequested",
    message:
      `The removal of ${objects.length} objects without a record from cluster '${cluster}' ` +
      `was requested: ${inWords(objects)}`,
    target,
    operation: name,
    actor,
    resource: null,
  };
}

const nothingToSweep = (): MpcError =>
  new MpcError("INVALID_ARGUMENT", {
    reason: "NOTHING_TO_SWEEP",
    message: "Cannot sweep: no leftovers are named; list them with validate_only first",
  });

const allChanged = (): MpcError =>
  new AllChanged("ABORTED", {
    reason: "PLAN_OUTDATED",
    message:
      "Cannot sweep: what was listed is gone, or has changed since; list the leftovers again",
    retryable: false,
  });

import { isMpcError, MpcError, type NewEvent } from "@mpc/domain";
import { allOf } from "../resources/read_all.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { fingerprint } from "../mutations/fingerprint.ts";
import type { ClusterObject } from "../ports/mod.ts";
import { unknownObjects, unreadFinding } from "./cluster_findings.ts";
import type { Finding } from "./findings.ts";

/** The objects without a record that one resource has left. */
export interface Leftover {
  /** Name of the resource that the objects once belonged to. */
  readonly target: string;
  readonly targetUid: string;
  readonly cluster: string;
  /** `Kind/namespace/name`, or `Kind/name`. */
  readonly objects: readonly string[];
  /** Stands for these objects: a sweep of another state skips them. */
  readonly hash: string;
}

/** A leftover as it was listed. */
export type Listed = Pick<Leftover, "targetUid" | "hash">;

export interface SweepRequest {
  /** Lists the leftovers, and removes nothing (AIP-163). */
  readonly validateOnly: boolean;
  /** The leftovers to remove, as they were listed. */
  readonly leftovers: readonly Listed[];
}

/** The leftovers that a sweep removes or would remove, and what it does not touch. */
export interface Sweep {
  readonly leftovers: readonly Leftover[];
  /** Leftovers that are gone, or have changed since they were listed. */
  readonly skipped: readonly Listed[];
  /** Clusters that could not be read. */
  readonly findings: readonly Finding[];
}

/**
 * Records objects without a record as orphans, which the janitor then removes. Objects of other
 * installations are never among them. Only what was listed before is removed, and only as it was
 * listed; the event `SweepRequested` says who asked.
 * @throws {MpcError} INVALID_ARGUMENT `NOTHING_TO_SWEEP`, UNAVAILABLE `NO_WORKER`, and as
 *   {@linkcode ClusterReader} documents
 */
export async function sweepObjects(
  deps: ServiceDeps,
  caller: Caller,
  { validateOnly, leftovers: listed }: SweepRequest,
): Promise<Sweep> {
  await deps.authorizer.authorize(caller, { permission: "platform.sweep", resource: null });
  if (!validateOnly && listed.length === 0) throw nothingToSweep();
  const { leftovers, findings } = await find(deps, caller);
  if (validateOnly) return { leftovers, skipped: [], findings };
  const found = new Map(leftovers.map((leftover) => [leftover.targetUid, leftover]));
  const swept = listed.flatMap(({ targetUid, hash }) => {
    const leftover = found.get(targetUid);
    return leftover?.hash === hash ? [leftover] : [];
  });
  for (const leftover of swept) await recordOrphan(deps, caller, leftover);
  const uids = new Set(swept.map(({ targetUid }) => targetUid));
  const skipped = listed.filter(({ targetUid }) => !uids.has(targetUid));
  return { leftovers: swept, skipped, findings };
}

async function find(
  { store, cluster }: ServiceDeps,
  { signal }: Caller,
): Promise<Pick<Sweep, "leftovers" | "findings">> {
  const { objects, unread } = await cluster.inventory({ signal });
  // Records are read after the objects, so that an object that was just created has one.
  const resources = [
    ...await allOf(store.environments, signal),
    ...await allOf(store.workloads, signal),
  ];
  const lost = Map.groupBy(unknownObjects(resources, objects), ({ targetUid }) => targetUid);
  return {
    leftovers: [...lost.values()].flatMap(leftoverOf),
    findings: unread.map(unreadFinding),
  };
}

function leftoverOf(objects: readonly ClusterObject[]): readonly Leftover[] {
  const [first] = objects;
  if (!first) return [];
  const { target, targetUid, cluster } = first;
  const texts = objects.map(({ object }) => object).sort();
  const states = objects.map(({ cluster, object, revision }) => [cluster, object, revision]);
  const hash = fingerprint([targetUid, states.map((state) => JSON.stringify(state)).sort()]);
  return [{ target, targetUid, cluster, objects: texts, hash }];
}

async function recordOrphan(
  { store, clock }: ServiceDeps,
  { principal, signal }: Caller,
  { target, targetUid, cluster, objects }: Leftover,
): Promise<void> {
  const now = clock.now();
  const requested: NewEvent = {
    time: now,
    type: "NOTICED",
    reason: "SweepRequested",
    message: `The removal of ${objects.length} objects without a record was requested: ${
      objects.slice(0, 20).join(", ")
    }${objects.length > 20 ? ", …" : ""}`,
    target,
    operation: null,
    actor: principal,
    resource: null,
  };
  const orphan = { name: `orphans/${targetUid}`, target, targetUid, cluster, objects };
  try {
    await store.orphans.create(
      { ...orphan, operation: "", createTime: now },
      { signal, events: [requested] },
    );
  } catch (error) {
    // It is already recorded as an orphan.
    if (!isMpcError(error, "ALREADY_EXISTS")) throw error;
  }
}

const nothingToSweep = (): MpcError =>
  new MpcError("INVALID_ARGUMENT", {
    reason: "NOTHING_TO_SWEEP",
    message: "Cannot sweep: no leftovers are named; list them with validate_only first",
  });

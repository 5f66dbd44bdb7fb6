import { isMpcError } from "@mpc/domain";
import { allOf } from "../resources/read_all.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { unknownObjects, unreadFinding } from "./cluster_findings.ts";
import type { Finding } from "./findings.ts";

/** The swept objects, and the clusters that could not be read. */
export interface Sweep {
  /** Names of the resources that the objects once belonged to. */
  readonly targets: readonly string[];
  readonly findings: readonly Finding[];
}

/**
 * Records objects without a record as orphans, which the janitor then removes.
 * @throws {MpcError} UNAVAILABLE `NO_WORKER`, and as {@linkcode ClusterReader} documents
 */
export async function sweepObjects(deps: ServiceDeps, caller: Caller): Promise<Sweep> {
  await deps.authorizer.authorize(caller, { permission: "platform.sweep", resource: null });
  const { store, cluster, clock } = deps;
  const { signal } = caller;
  const { objects, unread } = await cluster.inventory({ signal });
  // Records are read after the objects, so that an object that was just created has one.
  const resources = [
    ...await allOf(store.environments, signal),
    ...await allOf(store.workloads, signal),
  ];
  const lost = Map.groupBy(unknownObjects(resources, objects), ({ targetUid }) => targetUid);
  const targets: string[] = [];
  for (const [targetUid, [first, ...rest]] of lost) {
    if (!first) continue;
    try {
      await store.orphans.create({
        name: `orphans/${targetUid}`,
        target: first.target,
        targetUid,
        cluster: first.cluster,
        objects: [first, ...rest].map(({ object }) => object),
        operation: "",
        createTime: clock.now(),
      }, { signal });
    } catch (error) {
      // It is already recorded as an orphan.
      if (!isMpcError(error, "ALREADY_EXISTS")) throw error;
    }
    targets.push(first.target);
  }
  return { targets, findings: unread.map(unreadFinding) };
}

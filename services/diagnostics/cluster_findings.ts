/** Differences between clusters and records, and the clusters that cannot be read. */
import {
  adviceFor,
  type Environment,
  environmentIdOf,
  environmentName,
  idOf,
  type Instant,
  isMpcError,
  type MpcError,
  type Orphan,
  type Workload,
} from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import type {
  ClusterObject,
  ForeignObjects,
  Inventory,
  Planner,
  UnreadCluster,
} from "../ports/mod.ts";
import { allOf } from "../resources/read_all.ts";
import { isApplied } from "../resources/is_applied.ts";
import type { Finding } from "./findings.ts";
import { sharedFinding, sharedNamespaces } from "./shared_namespaces.ts";

/** Something blocks the removal of an object that is still there this long after it was abandoned. */
const SWEPT_WITHIN_MS = 600_000;

export interface ClusterFindings {
  readonly findings: readonly Finding[];
  readonly foreign: readonly ForeignObjects[];
  /** The resources whose clusters were read. */
  readonly readable: readonly (Environment | Workload)[];
}

/** Compares the records with each cluster that can be read. */
export async function clusterFindings(
  { store, cluster, clock, planner }: ServiceDeps,
  { signal }: Caller,
  environments: readonly Environment[],
  workloads: readonly Workload[],
): Promise<ClusterFindings> {
  let inventory: Inventory;
  try {
    inventory = await cluster.inventory({ signal });
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    const cluster = error.metadata["cluster"] ?? "cluster";
    return { findings: [unreadFinding({ cluster, error })], foreign: [], readable: [] };
  }
  const { objects, unread, foreign } = inventory;
  const orphans = await allOf(store.orphans, signal);
  const known = new Map(orphans.map((orphan) => [orphan.targetUid, orphan]));
  const resources = [...environments, ...workloads];
  const away = lostClusters(environments, inventory);
  const untold = new Set([...unread.map((it) => it.cluster), ...away.keys()]);
  const clusters = new Map(environments.map((it) => [it.name, it.cluster]));
  const isTold = ({ name }: Environment | Workload) =>
    !untold.has(clusters.get(environmentName(environmentIdOf(name))) ?? "");
  const unknown = unknownObjects(resources, objects);
  const lost = unknown.filter(({ targetUid }) => !known.has(targetUid));
  const shared = await sharedNamespaces(cluster, unknown, signal);
  const kept = new Set(shared.map(({ namespace }) => namespace.targetUid));
  const findings = [
    ...unread.map(unreadFinding),
    ...[...away].map(([name, carried]) => lostFinding(name, carried, inventory)),
    ...shared.map(sharedFinding),
    ...lost.filter(({ targetUid }) => !kept.has(targetUid)).map(withoutRecord),
    ...abandoned(unknown.filter(({ targetUid }) => !kept.has(targetUid)), known, clock.now()),
    ...await withoutObject(planner, resources.filter(isTold), objects, signal),
    ...wrongRevision(workloads.filter(isTold), objects),
  ];
  return { findings, foreign, readable: resources.filter(isTold) };
}

/** The finding for a cluster that could not be read. */
export const unreadFinding = ({ cluster, error }: UnreadCluster): Finding => ({
  invariant: "CLUSTER_UNREADABLE",
  subject: cluster,
  message: error.message,
  remedy: adviceFor(error).command || "kubectl cluster-info",
});

/** Environments whose records name a cluster that is no longer configured, by cluster. */
function lostClusters(
  environments: readonly Environment[],
  { clusters }: Inventory,
): ReadonlyMap<string, readonly Environment[]> {
  const lost = environments.filter((it) => isApplied(it) && !clusters.includes(it.cluster));
  return Map.groupBy(lost, ({ cluster }) => cluster);
}

function lostFinding(
  cluster: string,
  [first, ...rest]: readonly Environment[],
  { clusters }: Inventory,
): Finding {
  const id = first ? idOf(first.name) : "";
  const more = rest.length > 0 ? ` and ${rest.length} more` : "";
  const there = clusters.map((name) => `'${name}'`).join(", ");
  return {
    invariant: "CLUSTER_UNREADABLE",
    subject: cluster,
    message: `Environment '${id}'${more} is on it, but workers only have ${there}; give them ` +
      `that cluster again, or forget the environment by 'mpctl env delete ${id} --force --abandon'`,
    remedy: "deno task worker --clusters-file clusters.yaml",
  };
}

const withoutRecord = ({ object, target }: ClusterObject): Finding => ({
  invariant: "OBJECT_WITHOUT_RECORD",
  subject: object,
  message: `It belongs to '${target}', which has no record with its uid`,
  remedy: "mpctl doctor --sweep",
});

/** What abandoned resources have left: the janitor removes it, unless something blocks that. */
function abandoned(
  objects: readonly ClusterObject[],
  orphans: ReadonlyMap<string, Orphan>,
  now: Instant,
): readonly Finding[] {
  return objects.flatMap(({ object, targetUid }): readonly Finding[] => {
    const orphan = orphans.get(targetUid);
    if (!orphan) return [];
    const finding = { invariant: "OBJECT_WITHOUT_RECORD" as const, subject: object };
    if (now - orphan.createTime < SWEPT_WITHIN_MS) {
      return [{
        ...finding,
        message: `'${orphan.target}' was abandoned and left it behind; it is still to be removed`,
        remedy: "mpctl doctor --sweep",
      }];
    }
    const [kind = "", ...path] = object.split("/");
    const at = path.length > 1 ? `${path[1]} -n ${path[0]}` : `${path[0]}`;
    return [{
      ...finding,
      message: `'${orphan.target}' left it behind, and it could not be removed since ${
        new Date(orphan.createTime).toISOString()
      }: see what blocks its removal`,
      remedy: `kubectl get ${kind.toLowerCase()} ${at} -o yaml`,
    }];
  });
}

/** Resources whose objects are gone, unless these have deleted themselves, as finished Jobs may. */
async function withoutObject(
  planner: Planner,
  resources: readonly (Environment | Workload)[],
  objects: readonly ClusterObject[],
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const uids = new Set(objects.map(({ targetUid }) => targetUid));
  const findings: Finding[] = [];
  for (const resource of resources) {
    if (!isApplied(resource) || uids.has(resource.uid)) continue;
    const isChart = "spec" in resource && resource.spec.chart !== null;
    if (isChart && await isAsApplied(planner, resource, signal)) continue;
    findings.push({
      invariant: "RECORD_WITHOUT_OBJECT",
      subject: resource.name,
      message: `It is ${resource.state}, but it has no objects on the cluster`,
      remedy: "spec" in resource
        ? `mpctl workload restart ${idOf(resource.name)} --env ${environmentIdOf(resource.name)}`
        : `mpctl env update ${idOf(resource.name)}`,
    });
  }
  return findings;
}

/** Whether nothing is missing, as far as that can be found out. */
async function isAsApplied(
  planner: Planner,
  { name }: Workload,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await planner.drift(name, signal)).length === 0;
  } catch (error) {
    if (signal.aborted || !isMpcError(error)) throw error;
    return false;
  }
}

function wrongRevision(
  workloads: readonly Workload[],
  objects: readonly ClusterObject[],
): readonly Finding[] {
  return workloads.flatMap((workload) => {
    if (!isApplied(workload)) return [];
    const running = objects.find((o) => o.targetUid === workload.uid && o.revision > 0);
    if (!running || running.revision === workload.activeRevision) return [];
    return [{
      invariant: "WRONG_REVISION" as const,
      subject: workload.name,
      message:
        `The cluster runs revision ${running.revision}, the record names ${workload.activeRevision}`,
      remedy: `mpctl workload restart ${idOf(workload.name)} --env ${
        environmentIdOf(workload.name)
      }`,
    }];
  });
}

/** Objects whose owner has no record. */
export function unknownObjects(
  resources: readonly (Environment | Workload)[],
  objects: readonly ClusterObject[],
): readonly ClusterObject[] {
  const uids = new Set(resources.map(({ uid }) => uid));
  return objects.filter(({ targetUid }) => !uids.has(targetUid));
}

/** Whether an error says that a cluster cannot be read, which is not a defect of this program. */
export function isUnreadable(error: unknown): error is MpcError {
  return isMpcError(
    error,
    "UNAVAILABLE",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "FAILED_PRECONDITION",
  );
}

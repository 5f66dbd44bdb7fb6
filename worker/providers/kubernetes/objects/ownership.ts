/** Which objects of a cluster are ours, and which environment or workload owns them. */
import { createHash } from "node:crypto";
import { environmentName, workloadName } from "@mpc/domain";
import canonicalize from "canonicalize";
import type { ClusterObject } from "@mpc/services";
import { NAMESPACE } from "../client/kinds.ts";
import { type LiveObject, refOf, textOf } from "../client/kube_object.ts";
import {
  ENVIRONMENT,
  INSTALLATION,
  MANAGED_BY,
  MANAGER,
  REVISION,
  UID,
  WORKLOAD,
} from "../render/mod.ts";

/** Selects all our objects. */
export const OURS = `${MANAGED_BY}=${MANAGER}`;

/** The most owners in one label selector. */
const MAX_SELECTED = 50;

/** Selects the objects of these owners; for too many owners it selects all our objects. */
export function ownedBy(...uids: readonly string[]): string {
  if (uids.length > MAX_SELECTED) return OURS;
  return uids.length === 1 ? `${OURS},${UID}=${uids[0]}` : `${OURS},${UID} in (${uids.join(",")})`;
}

/** Selects the objects of a workload in its namespace. */
export const workloadSelector = (workload: string): string => `${OURS},${WORKLOAD}=${workload}`;

/** Uid of the environment or workload that owns an object; undefined if it is not ours. */
export function ownerOf({ metadata }: LiveObject): string | undefined {
  return metadata.labels?.[MANAGED_BY] === MANAGER ? metadata.labels[UID] : undefined;
}

/** Whether another control plane applied an object. */
export function isForeign({ metadata }: LiveObject, installation: string): boolean {
  const label = metadata.labels?.[INSTALLATION];
  return label !== undefined && label !== installation;
}

/** Who has made an object of others, for people: its installation, or its first field manager. */
export function makerOf({ metadata: { labels = {}, managedFields = [] } }: LiveObject): string {
  const { [INSTALLATION]: installation, [MANAGED_BY]: manager } = labels;
  if (manager === MANAGER && installation !== undefined) return `installation ${installation}`;
  return managedFields.find(({ subresource }) => !subresource)?.manager ?? "";
}

/**
 * Groups objects by the control plane that they belong to; "" if that is unknown. An object
 * without a label of its own, for instance a claim that a StatefulSet created, belongs to the control
 * plane of its namespace.
 */
export function byInstallation(
  objects: readonly LiveObject[],
): ReadonlyMap<string, readonly LiveObject[]> {
  const label = ({ metadata }: LiveObject) => metadata.labels?.[INSTALLATION];
  const namespaces = new Map(
    objects.filter(({ kind }) => kind === NAMESPACE.kind)
      .map((object) => [object.metadata.name, label(object)]),
  );
  return Map.groupBy(
    objects,
    (object) => label(object) ?? namespaces.get(object.metadata.namespace ?? "") ?? "",
  );
}

/** The revision that an object was rendered from; 0 if it has none. */
export function revisionOf({ metadata }: LiveObject): number {
  return Number(metadata.annotations?.[REVISION] ?? 0);
}

/**
 * An object as the inventory lists it; undefined if it is not ours. An object that is being deleted
 * has no revision: an update has replaced it.
 */
export function toClusterObject(cluster: string, object: LiveObject): ClusterObject | undefined {
  const targetUid = ownerOf(object);
  const environment = object.metadata.labels?.[ENVIRONMENT];
  if (targetUid === undefined || environment === undefined) return undefined;
  const workload = object.metadata.labels?.[WORKLOAD];
  return {
    cluster,
    object: textOf(refOf(object)),
    target: workload === undefined
      ? environmentName(environment)
      : workloadName(environment, workload),
    targetUid,
    ...(object.metadata.deletionTimestamp === undefined
      ? { revision: revisionOf(object), version: versionOf(object) }
      : { revision: 0, version: "" }),
  };
}

/** Kinds without a generation, whose resource version only changes with what they contain. */
const WITHOUT_STATUS: ReadonlySet<string> = new Set([
  "ConfigMap",
  "LimitRange",
  "RoleBinding",
  "Secret",
  "ServiceAccount",
]);

/**
 * Says which object it is, and which of its specs, labels and annotations; a changed status makes no
 * other version.
 */
function versionOf(object: LiveObject): string {
  const { uid = "", generation, resourceVersion, labels, annotations } = object.metadata;
  if (WITHOUT_STATUS.has(object.kind)) return `${uid}/${resourceVersion}`;
  const { apiVersion: _, kind: __, metadata: ___, status: ____, ...content } = object;
  const written = generation === undefined ? [labels, annotations, content] : [labels];
  const hash = createHash("sha256").update(canonicalize(written) ?? "").digest("base64url");
  return `${uid}/${generation ?? ""}/${hash}`;
}

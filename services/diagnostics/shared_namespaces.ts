/** Namespaces without a record that contain objects of others, so that no sweep deletes them. */
import { idOf } from "@mpc/domain";
import type { ClusterObject, ClusterReader } from "../ports/mod.ts";
import { containsUnmanaged, unmanagedInside } from "../sagas/mod.ts";
import type { Finding } from "./findings.ts";

export interface SharedNamespace {
  readonly namespace: ClusterObject;
  /** As `Kind/namespace/name`. */
  readonly unmanaged: readonly string[];
}

/**
 * The namespaces that contain objects which the platform did not apply.
 * @param lost the objects without a record
 */
export async function sharedNamespaces(
  cluster: ClusterReader,
  lost: readonly ClusterObject[],
  signal: AbortSignal,
): Promise<readonly SharedNamespace[]> {
  const namespaces = lost.filter(({ object, version }) =>
    // One that is being deleted loses its objects in any case.
    object.startsWith("Namespace/") && version !== ""
  );
  const read = await Promise.all(namespaces.map(async (namespace) => ({
    namespace,
    unmanaged: await unmanagedInside(cluster, namespace, { signal }),
  })));
  return read.filter(({ unmanaged }) => unmanaged.length > 0);
}

/** What a person can do about such a namespace. */
export const sharedFinding = (
  { namespace: { object, target }, unmanaged }: SharedNamespace,
): Finding => ({
  invariant: "OBJECT_WITHOUT_RECORD",
  subject: object,
  message:
    `It belongs to '${target}', which has no record with its uid, and no sweep deletes it: ` +
    `${containsUnmanaged(unmanaged)}; move these and sweep, or delete the namespace with them`,
  remedy: `kubectl delete namespace ${idOf(target)}`,
});

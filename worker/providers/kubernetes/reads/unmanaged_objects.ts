import { isMpcError } from "@mpc/domain";
import { keyOf, NAMESPACE, POD, REPLICA_SET } from "../client/kinds.ts";
import type { KubeCall, KubeClient } from "../client/kube_client.ts";
import { type LiveObject, type ObjectKind, refOf, textOf } from "../client/kube_object.ts";
import { isForeign, ownerOf } from "../objects/ownership.ts";

/** What controllers make in every namespace, as `Kind/name`: Kubernetes' own, Istio's, OpenShift's. */
const MADE_BY_CLUSTER: ReadonlySet<string> = new Set([
  "ConfigMap/istio-ca-root-cert",
  "ConfigMap/kube-root-ca.crt",
  "ConfigMap/openshift-service-ca.crt",
  "RoleBinding/system:deployers",
  "RoleBinding/system:image-builders",
  "RoleBinding/system:image-pullers",
  "ServiceAccount/default",
]);

/**
 * Kinds that controllers and programs fill for other objects: their content is rebuilt, or of no use
 * without them.
 */
const DERIVED: ReadonlySet<string> = new Set(["Endpoints", "EndpointSlice", "Event", "Lease"]);

/** The type of the Secrets that older clusters make for each ServiceAccount. */
const ACCOUNT_TOKEN = "kubernetes.io/service-account-token";

/**
 * The objects in a namespace that this installation did not apply, as `Kind/namespace/name`. What a
 * controller made for one of the listed objects does not count: its owner does. Custom resources and
 * other kinds that the platform does not know are found by API discovery. A kind that may not be
 * listed is named as `Kind/namespace/*`, because it may have objects.
 */
export async function unmanagedObjects(
  client: KubeClient,
  of: { readonly namespace: string; readonly kinds: readonly ObjectKind[] },
  { installation, signal }: KubeCall & { readonly installation: string },
): Promise<readonly string[]> {
  const { namespace } = of;
  const discovered = (await client.namespacedKinds({ signal }))
    .filter(({ kind }) => !DERIVED.has(kind));
  const known = new Set(of.kinds.map(keyOf));
  const kinds = new Map(
    [...of.kinds, REPLICA_SET, POD, ...discovered].map((kind) => [keyOf(kind), kind]),
  );
  kinds.delete(keyOf(NAMESPACE));
  const hidden: string[] = [];
  const lists = await Promise.all([...kinds.values()].map(async (kind) => {
    try {
      return (await client.list(kind, { namespace }, { signal })).items;
    } catch (error) {
      // A kind that was discovered may be deleted in the meantime, or another server may answer for it.
      const isOptional = isMpcError(error) && !signal.aborted && !known.has(keyOf(kind));
      if (isOptional && error.reason === "KIND_UNKNOWN") return [];
      if (!isOptional && !isMpcError(error, "PERMISSION_DENIED")) throw error;
      hidden.push(textOf({ ...kind, namespace, name: "*" }));
      return [];
    }
  }));
  const objects = lists.flat();
  const uids = new Set(objects.map(({ metadata }) => metadata.uid));
  const isDependent = ({ metadata }: LiveObject) =>
    metadata.ownerReferences?.some(({ uid }) => uids.has(uid)) ?? false;
  const isOurs = (object: LiveObject) =>
    ownerOf(object) !== undefined && !isForeign(object, installation);
  const unmanaged = objects.filter((object) =>
    !isOurs(object) && !isDependent(object) && !isMadeByCluster(object)
  );
  return [...unmanaged.map((object) => textOf(refOf(object))), ...hidden].sort();
}

const isMadeByCluster = (object: LiveObject): boolean =>
  MADE_BY_CLUSTER.has(`${object.kind}/${object.metadata.name}`) ||
  (object.kind === "Secret" && object["type"] === ACCOUNT_TOKEN);

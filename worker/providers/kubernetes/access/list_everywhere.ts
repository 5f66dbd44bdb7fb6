import { isMpcError } from "@mpc/domain";
import { listKinds } from "../client/bulk_requests.ts";
import { keyOf, NAMESPACE } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import type { LiveObject, ObjectKind } from "../client/kube_object.ts";
import { PRIVATE_KINDS } from "../managed_kinds.ts";
import { OURS } from "../objects/ownership.ts";

/**
 * All objects with our labels on a cluster. A worker that may not list Secrets and ConfigMaps of all
 * namespaces lists them in each environment.
 */
export async function listEverywhere(
  client: KubeClient,
  kinds: readonly ObjectKind[],
  signal: AbortSignal,
): Promise<readonly LiveObject[]> {
  const isPrivate = (kind: ObjectKind) => PRIVATE_KINDS.some((it) => keyOf(it) === keyOf(kind));
  const selection = { labelSelector: OURS };
  const open = await listKinds(client, kinds.filter((kind) => !isPrivate(kind)), selection, signal);
  const hidden = kinds.filter(isPrivate);
  if (hidden.length === 0) return open;
  try {
    return [...open, ...await listKinds(client, hidden, selection, signal)];
  } catch (error) {
    if (!isMpcError(error, "PERMISSION_DENIED")) throw error;
  }
  const namespaces = open.filter(({ kind }) => kind === NAMESPACE.kind);
  const lists = await Promise.all(
    namespaces.map((namespace) => listInside(client, hidden, namespace, signal)),
  );
  return [...open, ...lists.flat()];
}

/** The objects in one namespace; none where the worker may not look, as in those of other platforms. */
async function listInside(
  client: KubeClient,
  kinds: readonly ObjectKind[],
  { metadata: { name: namespace } }: LiveObject,
  signal: AbortSignal,
): Promise<readonly LiveObject[]> {
  try {
    return await listKinds(client, kinds, { namespace, labelSelector: OURS }, signal);
  } catch (error) {
    if (isMpcError(error, "PERMISSION_DENIED")) return [];
    throw error;
  }
}

/** What blocks a deletion, and the command that unblocks it. */
import type { Residue } from "@mpc/domain";
import {
  kubectlNameOf,
  type LiveObject,
  type ObjectRef,
  refOf,
  textOf,
} from "../client/kube_object.ts";
import { conditionsOf } from "../client/typed_objects.ts";

/** Finalizers that Kubernetes itself removes when the dependents are deleted. */
const KUBERNETES_OWN: ReadonlySet<string> = new Set(["foregroundDeletion", "orphan", "kubernetes"]);

/** The finalizers that block the deletion of one object; none if it is not being deleted. */
export function objectBlockers(object: LiveObject | undefined): readonly Residue[] {
  if (object?.metadata.deletionTimestamp === undefined) return [];
  const finalizers = (object.metadata.finalizers ?? []).filter((name) => !KUBERNETES_OWN.has(name));
  return finalizers.map((finalizer) => ({
    object: textOf(refOf(object)),
    reason: `finalizer ${finalizer}`,
    remedy: removal(refOf(object)),
  }));
}

/** Conditions of a namespace whose deletion is in progress. */
const REMAINING: ReadonlySet<string> = new Set([
  "NamespaceContentRemaining",
  "NamespaceFinalizersRemaining",
]);
/** Conditions of a namespace whose deletion fails. */
const FAILING: ReadonlySet<string> = new Set([
  "NamespaceDeletionDiscoveryFailure",
  "NamespaceDeletionGroupVersionParsingFailure",
  "NamespaceDeletionContentFailure",
]);

/**
 * What blocks the deletion of a namespace, from its conditions, which the namespace controller sets.
 * @param inside the remaining objects in it, as far as their kinds are known
 */
export function namespaceBlockers(
  namespace: LiveObject,
  inside: readonly LiveObject[],
): readonly Residue[] {
  const named = inside.flatMap(objectBlockers);
  const object = textOf(refOf(namespace));
  const list = `kubectl get all --namespace ${namespace.metadata.name}`;
  const told = conditionsOf(namespace).filter(({ status }) => status === "True");
  const failing = told.filter(({ type }) => FAILING.has(type))
    .map(({ message = "" }) => ({ object, reason: message, remedy: "kubectl get apiservices" }));
  const finalizers = told.filter(({ type }) => type === "NamespaceFinalizersRemaining");
  const remaining = named.length > 0 || finalizers.length === 0
    ? []
    : told.filter(({ type }) => REMAINING.has(type))
      .map(({ message = "" }) => ({ object, reason: message, remedy: list }));
  return [...named, ...remaining, ...failing];
}

/** Plural names of the resources that remain in a namespace, for instance `configmaps`. */
export function remainingResources(namespace: LiveObject): readonly string[] {
  const told = conditionsOf(namespace).find(({ type }) => type === "NamespaceContentRemaining");
  const names = (told?.message ?? "").matchAll(/([a-z]+)\.(\S*) has \d+ resource instances/g);
  return [...names].map(([, plural = ""]) => plural);
}

/** What blocks a deletion while the watches fail; none while they do not. */
export const outageBlockers = (cluster: string, failure: unknown): readonly Residue[] =>
  failure === undefined ? [] : [{
    object: `Cluster/${cluster}`,
    reason: "it does not answer, and is tried again",
    remedy: "kubectl cluster-info",
  }];

function removal(ref: ObjectRef): string {
  return `kubectl patch ${
    kubectlNameOf(ref)
  } --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]'`;
}

/** What holds a deletion up, and the command that lets go. */
import type { Residue } from "@mpc/domain";
import { type LiveObject, type ObjectRef, refOf, textOf } from "../client/kube_object.ts";
import { conditionsOf } from "../rollout/snapshot.ts";

/** Finalizers that Kubernetes itself takes away when the dependents are gone. */
const KUBERNETES_OWN: ReadonlySet<string> = new Set(["foregroundDeletion", "orphan", "kubernetes"]);

/** The finalizers that hold one object back. */
export function objectBlockers(object: LiveObject | undefined): readonly Residue[] {
  if (object?.metadata.deletionTimestamp === undefined) return [];
  const finalizers = (object.metadata.finalizers ?? []).filter((name) => !KUBERNETES_OWN.has(name));
  return finalizers.map((finalizer) => ({
    object: textOf(refOf(object)),
    reason: `finalizer ${finalizer}`,
    remedy: removal(refOf(object)),
  }));
}

/** Conditions that a namespace has while its deletion is under way, and what they mean. */
const REMAINING: ReadonlySet<string> = new Set([
  "NamespaceContentRemaining",
  "NamespaceFinalizersRemaining",
]);
const FAILING: ReadonlySet<string> = new Set([
  "NamespaceDeletionDiscoveryFailure",
  "NamespaceDeletionGroupVersionParsingFailure",
  "NamespaceDeletionContentFailure",
]);

/**
 * What the conditions of a namespace say (Kubernetes, "Namespaces": the namespace controller).
 * @param inside objects in it that are being deleted and carry finalizers, where they are known
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

/** Plurals of the resources that a namespace says are left, for instance `configmaps`. */
export function remainingResources(namespace: LiveObject): readonly string[] {
  const told = conditionsOf(namespace).find(({ type }) => type === "NamespaceContentRemaining");
  const names = (told?.message ?? "").matchAll(/([a-z]+)\.(\S*) has \d+ resource instances/g);
  return [...names].map(([, plural = ""]) => plural);
}

function removal({ kind, namespace, name }: ObjectRef): string {
  const where = namespace === undefined ? "" : ` --namespace ${namespace}`;
  return `kubectl patch ${kind.toLowerCase()} ${name}${where} --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]'`;
}

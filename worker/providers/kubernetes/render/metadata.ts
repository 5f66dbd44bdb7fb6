/** Labels, annotations and names of our objects. Users cannot set labels that begin with `mpc/`. */
import type { NamespaceIntent, WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "../client/kube_object.ts";

type Metadata = KubernetesObject["metadata"];

export const MANAGED_BY = "app.kubernetes.io/managed-by";
export const MANAGER = "mpc";
/** Label: id of the environment. A namespace without it is not ours. */
export const ENVIRONMENT = "mpc/environment";
/** Label: id of the workload. */
export const WORKLOAD = "mpc/workload";
/** Label: uid of the environment's or the workload's record. */
export const UID = "mpc/uid";
/** Label of objects, not of pods: id of the control plane that applied the object. */
export const INSTALLATION = "mpc/installation";
/**
 * Annotation of a controller, for instance a Deployment: the workload's revision. It is not on the
 * pod template, because scaling makes a new revision without replacing pods.
 */
export const REVISION = "mpc/revision";
/** Annotation of pods: changes when every pod must be replaced although the spec is the same. */
export const RESTART_TOKEN = "mpc/restart-token";
/** Annotation of pods: changes with the values of their variables, which pods read at startup. */
export const ENV_CHECKSUM = "mpc/env-checksum";
/** Annotation of a controller: every kind of object that the workload has ever had. */
export const KIND_HISTORY = "mpc/kinds-had";

/** Annotation of a controller or a namespace: the trace that made it (W3C Trace Context). */
export const TRACEPARENT = "mpc/traceparent";

/** Label of the namespace that carries the claims of a control plane and nothing else. */
export const CLAIMS = "mpc/claims";
/**
 * Annotation of that namespace: the token of the store that claims the cluster under this name. One
 * cluster may be configured under several names.
 */
export const claimOf = (cluster: string): string => `mpc/claim-${cluster}`;

const NAME = "app.kubernetes.io/name";

/** Metadata of an object inside the namespace of an environment. */
export function policyMetadata({ environment, uid }: NamespaceIntent, name: string): Metadata {
  const labels = { [MANAGED_BY]: MANAGER, [ENVIRONMENT]: environment, [UID]: uid };
  return { name, namespace: environment, labels };
}

/** Metadata of an object of a workload. */
export function workloadMetadata(intent: WorkloadIntent, name = intent.workload): Metadata {
  return { name, namespace: intent.environment, labels: workloadLabels(intent) };
}

/** Labels of a workload's objects and pods. Our labels override the user's. */
export function workloadLabels(
  { environment, workload, uid, labels }: WorkloadIntent,
): Readonly<Record<string, string>> {
  return {
    [NAME]: workload,
    ...labels,
    [MANAGED_BY]: MANAGER,
    [ENVIRONMENT]: environment,
    [WORKLOAD]: workload,
    [UID]: uid,
  };
}

/** Selects the pods of a workload in its namespace. A Deployment's selector is immutable. */
export const podSelector = (
  { workload }: WorkloadIntent,
): { readonly matchLabels: Record<string, string> } => ({
  matchLabels: { [WORKLOAD]: workload },
});

/**
 * The name of a secondary object of a workload. Workload ids contain no dots, so the names of two
 * workloads never collide.
 */
export const partName = ({ workload }: WorkloadIntent, part: string): string =>
  `${workload}.${part}`;

/** Objects with the label of the control plane that applies them. */
export function installedBy(
  installation: string,
  objects: readonly KubernetesObject[],
): readonly KubernetesObject[] {
  return objects.map((object) => {
    const { metadata } = object;
    const labels = { ...metadata.labels, [INSTALLATION]: installation };
    return { ...object, metadata: { ...metadata, labels } };
  });
}

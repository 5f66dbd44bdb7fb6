import type { LiveObject, ObjectKind } from "../client/kube_object.ts";
import type { KubernetesObject } from "../render/mod.ts";
import type { ShownValues } from "./diff.ts";

/** The desired state of one owner on the cluster. */
export interface Desired {
  /** Uid of the environment or workload. */
  readonly uid: string;
  /** The control plane that applies it: objects of others are neither changed nor pruned. */
  readonly installation: string;
  /** In the order in which they are applied. */
  readonly objects: readonly KubernetesObject[];
  /** Kinds to prune: the owner's objects of these kinds that are not in `objects` are deleted. */
  readonly prune: readonly ObjectKind[];
  /** The revision of a workload; undefined for an environment. */
  readonly revision?: number;
  readonly shown?: ShownValues;
  /** Undefined for cluster-scoped objects. */
  readonly namespace?: string;
  /** All objects of the desired kinds in the namespace, if they were just read. */
  readonly read?: readonly LiveObject[];
}

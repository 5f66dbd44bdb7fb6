import type { NamespaceIntent, WorkloadIntent } from "@mpc/services";
import type { ObjectMeta } from "./kubernetes_object.ts";
import { ENVIRONMENT, MANAGED_BY, MANAGER, UID, WORKLOAD } from "./labels.ts";

const NAME = "app.kubernetes.io/name";

/** Metadata of an object inside the namespace of an environment. */
export function policyMetadata({ environment, uid }: NamespaceIntent, name: string): ObjectMeta {
  const labels = { [MANAGED_BY]: MANAGER, [ENVIRONMENT]: environment, [UID]: uid };
  return { name, namespace: environment, labels };
}

/** Metadata of an object of a workload. */
export function workloadMetadata(intent: WorkloadIntent, name = intent.workload): ObjectMeta {
  return { name, namespace: intent.environment, labels: workloadLabels(intent) };
}

/** What every object of a workload is labelled with, its pods too: ours win. */
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

/** What finds the pods of a workload in its namespace; a Deployment can never change it. */
export const podSelector = (
  { workload }: WorkloadIntent,
): { readonly matchLabels: Record<string, string> } => ({
  matchLabels: { [WORKLOAD]: workload },
});

/**
 * Names an object that a workload has besides the one of its own name. Ids have no dots, so no two
 * workloads ever make the same name.
 */
export const partName = ({ workload }: WorkloadIntent, part: string): string =>
  `${workload}.${part}`;

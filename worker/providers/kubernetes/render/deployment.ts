import type { V1Deployment, V1DeploymentStrategy } from "@kubernetes/client-node";
import type { WorkloadSpec } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import { envChecksum } from "./env_secret.ts";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { ENV_CHECKSUM, RESTART_TOKEN, REVISION } from "./labels.ts";
import { podSelector, workloadLabels, workloadMetadata } from "./metadata.ts";
import { podSpec } from "./pod_spec.ts";
import type { Wire } from "./wire.ts";

/** The pods of a workload, and how they are replaced. */
export function deployment(intent: WorkloadIntent): KubernetesObject {
  const { spec, revision, restartToken } = intent;
  const checksum = envChecksum(intent);
  const annotations = {
    ...(checksum !== undefined && { [ENV_CHECKSUM]: checksum }),
    ...(restartToken !== "" && { [RESTART_TOKEN]: restartToken }),
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { ...workloadMetadata(intent), annotations: { [REVISION]: String(revision) } },
    spec: {
      // Where a number stood here, each apply would take back what the autoscaler has done.
      ...(spec.autoscaling === null && { replicas: spec.replicas }),
      selector: podSelector(intent),
      strategy: strategy(spec),
      progressDeadlineSeconds: Math.ceil(spec.progressDeadlineMs / 1_000),
      // Revisions are records of ours; the cluster needs the one before for no longer than a rollout.
      revisionHistoryLimit: 1,
      template: {
        metadata: {
          labels: workloadLabels(intent),
          ...(Object.keys(annotations).length > 0 && { annotations }),
        },
        spec: podSpec(intent),
      },
    },
  } satisfies Wire<V1Deployment>;
}

/**
 * Nothing that runs is taken away before its successor is ready; but storage for one pod at a time
 * has to be let go of first. All is said, also what is the default: server-side apply takes away
 * only what it has said itself, and the fields of one strategy are refused in the other.
 */
function strategy({ volumes }: WorkloadSpec): Wire<V1DeploymentStrategy> {
  return volumes.some(({ storage }) => storage && !storage.shared)
    ? { type: "Recreate" }
    : { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } };
}

import type { V1Deployment, V1DeploymentStrategy } from "@kubernetes/client-node";
import type { WorkloadSpec } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "../client/kube_object.ts";
import type { Wire } from "../client/wire_format.ts";
import { envChecksum } from "./env_secret.ts";
import {
  ENV_CHECKSUM,
  podSelector,
  RESTART_TOKEN,
  REVISION,
  workloadLabels,
  workloadMetadata,
} from "./metadata.ts";
import { podSpec } from "./pod_spec.ts";

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
      // A number here would undo the autoscaler at each apply.
      ...(spec.autoscaling === null && { replicas: spec.replicas }),
      selector: podSelector(intent),
      strategy: strategy(spec),
      progressDeadlineSeconds: Math.ceil(spec.progressDeadlineMs / 1_000),
      // We keep revisions ourselves; the cluster needs the previous one only during a rollout.
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
 * A pod is removed only when its successor is ready, unless a volume can be mounted by one pod at a
 * time and must be released first. Defaults are set explicitly: server-side apply removes only
 * fields that it has set, and one strategy rejects the fields of the other.
 */
function strategy({ volumes }: WorkloadSpec): Wire<V1DeploymentStrategy> {
  return volumes.some(({ storage }) => storage && !storage.shared)
    ? { type: "Recreate" }
    : { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } };
}

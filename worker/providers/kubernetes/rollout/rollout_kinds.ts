import type { WorkloadSpec } from "@mpc/domain";
import { DAEMON_SET, DEPLOYMENT, STATEFUL_SET } from "../client/kinds.ts";
import type { ObjectKind } from "../client/kube_object.ts";

/** Everything that rolls pods out. */
export const ROLLOUT_KINDS: readonly ObjectKind[] = [DEPLOYMENT, STATEFUL_SET, DAEMON_SET];

/** What may roll out the pods of a workload: an image is a Deployment, a chart may be anything. */
export function rolloutKinds({ chart }: WorkloadSpec): readonly ObjectKind[] {
  return chart === null ? [DEPLOYMENT] : ROLLOUT_KINDS;
}

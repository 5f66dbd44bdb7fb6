import type { WorkloadSpec } from "@mpc/domain";
import { DAEMON_SET, DEPLOYMENT, JOB, STATEFUL_SET } from "../client/kinds.ts";
import type { ObjectKind } from "../client/kube_object.ts";

/** Everything that rolls pods out. */
export const ROLLOUT_KINDS: readonly ObjectKind[] = [DEPLOYMENT, STATEFUL_SET, DAEMON_SET];

/** What a rollout waits for: an image is a Deployment, a chart may be anything, and run Jobs. */
export function rolloutKinds({ chart }: WorkloadSpec): readonly ObjectKind[] {
  return chart === null ? [DEPLOYMENT] : [...ROLLOUT_KINDS, JOB];
}

import type { PlatformDefinition } from "./definition.ts";
import { CLUSTER_CALL } from "./retry_policies.ts";
import type { Step } from "./step.ts";

export type PlatformClaimInput = {
  /** Name of the cluster. */
  readonly cluster: string;
};

const takeOver: Step<PlatformClaimInput> = {
  name: "claim_cluster",
  onCancel: "keep",
  ...CLUSTER_CALL,
  async run({ provider, signal }, { cluster }) {
    await provider.claims?.takeOver(cluster, { signal });
  },
};

/** Claims a cluster that another copy of the store has claimed. */
export const platformClaim: PlatformDefinition<PlatformClaimInput> = {
  kind: "platform.claim",
  resource: null,
  steps: [takeOver],
  cancelled: ({ cluster }) => `cluster '${cluster}' is claimed, unless that had not begun`,
};

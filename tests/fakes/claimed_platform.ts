import { DEFAULT_CLUSTER } from "@mpc/domain";
import { openMemoryStore } from "@mpc/storage/memory";
import { claimedProvider } from "../../worker/providers/claimed_provider.ts";
import { ClusterClaims } from "../../worker/providers/cluster_claims.ts";
import { FakeClock } from "./fake_clock.ts";
import { Platform } from "./platform.ts";
import { SeededIds } from "./seeded_ids.ts";

/** Runs a test on a platform that keeps a claim, with the claims of another store that can take it. */
export async function withClaims(
  use: (platform: Platform, other: ClusterClaims, claims: ClusterClaims) => Promise<void>,
): Promise<void> {
  const clock = new FakeClock();
  const [store, copy] = [openMemoryStore(), openMemoryStore()];
  let [claims, other]: (ClusterClaims | undefined)[] = [];
  const platform = await Platform.start({
    store,
    clock,
    provider(bare) {
      const marks = new Map([[DEFAULT_CLUSTER, bare.mark]]);
      claims = new ClusterClaims({ store, clock, ids: new SeededIds(1, 1), marks });
      other = new ClusterClaims({ store: copy, clock, ids: new SeededIds(1, 2), marks });
      return claimedProvider(bare, DEFAULT_CLUSTER, claims);
    },
  });
  try {
    await claims!.renew(platform.caller);
    await use(platform, other!, claims!);
  } finally {
    await platform.close();
    await copy.close();
  }
}

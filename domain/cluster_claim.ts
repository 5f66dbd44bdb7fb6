import type { Instant } from "./time.ts";

/**
 * What a store knows about its claim to one cluster. The cluster carries the token of the store that
 * claims it; the token changes every minute, so that an older or a copied store can be told apart.
 */
export interface ClusterClaim {
  /** `clusters/{cluster}` */
  readonly name: string;
  /** The token that the cluster carries, as far as this store knows; null before the first claim. */
  readonly token: string | null;
  /** The token that is about to replace it; every process writes the same one. Null for none. */
  readonly next: string | null;
  /** When the token was last replaced. */
  readonly renewTime: Instant;
  /** The other store that claims the cluster; null while this one does. */
  readonly lost: {
    readonly since: Instant;
    /** When the other store last renewed its claim, as the cluster says. */
    readonly renewTime: string;
  } | null;
}

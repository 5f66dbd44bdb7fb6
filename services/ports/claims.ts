import type { ProviderCall } from "./cluster_reader.ts";

/**
 * The claims of this store to its clusters. A cluster that another store with the same installation
 * id has claimed is not changed: one of the two is an older or a copied database.
 */
export interface Claims {
  /**
   * Renews the claim to each cluster, and records which are lost. A cluster that cannot be reached
   * now is left to the next call.
   */
  renew(call: ProviderCall): Promise<void>;
  /**
   * Claims a cluster although another store has it; that store then no longer changes it.
   * @throws `FAILED_PRECONDITION` `UNKNOWN_CLUSTER`, `CLUSTER_CLAIMED_ELSEWHERE` if the other store
   *   keeps claiming it, and as {@linkcode ClusterReader} documents
   */
  takeOver(cluster: string, call: ProviderCall): Promise<void>;
}

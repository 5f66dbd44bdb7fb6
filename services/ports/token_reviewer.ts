import type { ProviderCall } from "./cluster_reader.ts";

/** A service account's token, and what it must be for. */
export interface TokenReview {
  /** Name of the cluster that has issued the token. */
  readonly cluster: string;
  readonly token: string;
  readonly audience: string;
}

export interface ReviewedToken {
  /** As the cluster names the account; null if the cluster does not accept the token. */
  readonly username: string | null;
  /** The asked audiences that the token is for. */
  readonly audiences: readonly string[];
}

/** Asks clusters whether the tokens of service accounts are valid (Kubernetes, "TokenReview"). */
export interface TokenReviewer {
  /**
   * Fails as {@linkcode ClusterReader} does, and with
   * - `FAILED_PRECONDITION` `UNKNOWN_CLUSTER`: there is no cluster of this name
   */
  reviewToken(review: TokenReview, call: ProviderCall): Promise<ReviewedToken>;
}

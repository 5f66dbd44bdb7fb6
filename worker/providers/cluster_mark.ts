import type { ProviderCall } from "@mpc/services";

/** A short text that an installation keeps on a cluster, as it was read. */
export interface Mark {
  /** Empty if there is none. */
  readonly text: string;
  /** Changes with every write. */
  readonly version: string;
}

/**
 * A short text on a cluster. Calls fail as those of a provider do.
 */
export interface ClusterMark {
  read(call: ProviderCall): Promise<Mark>;
  /**
   * Replaces the mark that was read.
   * @returns false if somebody else has changed it since; nothing is written then
   */
  replace(read: Mark, text: string, call: ProviderCall): Promise<boolean>;
}

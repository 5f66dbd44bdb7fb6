import type { MpcError } from "@mpc/domain";
import type { Engine } from "@mpc/services";

/** An engine at work in this process. */
export interface HostedEngine extends Engine {
  /** What keeps it from its work; undefined while it works. */
  readonly problem: MpcError | undefined;
}

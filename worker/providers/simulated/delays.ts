/** How long things take on the simulated cluster, in milliseconds. */
export interface SimulatedDelays {
  /** From one replica being ready to the next. */
  readonly replicaMs: number;
  /** From asking for a deletion to its end. */
  readonly deleteMs: number;
  /** How long a finalizer holds a `:sticky` workload. */
  readonly stickyMs: number;
}

/** Slow enough to see what happens, fast enough not to bore. */
export const DEMO_DELAYS: SimulatedDelays = { replicaMs: 700, deleteMs: 600, stickyMs: 60_000 };

/** Nothing takes any time, but for a `:sticky` deletion. */
export const NO_DELAYS: SimulatedDelays = { replicaMs: 0, deleteMs: 0, stickyMs: 60_000 };

/** The calls of one method since the process began. */
export interface CallActivity {
  /** For instance `mpc.v1.EnvironmentService/GetEnvironment`. */
  readonly method: string;
  /** Calls that run now. */
  readonly running: number;
  /** Calls that ended. */
  readonly calls: number;
  /** Calls that ended with another code than OK. */
  readonly failures: number;
  /** How long calls took, in all; null for streams. */
  readonly totalSeconds: number | null;
  /** How many calls took at most how long, by ascending bounds; empty for streams. */
  readonly buckets: readonly { readonly upperBoundSeconds: number; readonly calls: number }[];
}

/** On whose behalf a use case runs. */
export interface Caller {
  /** Who asks, as operations and events record it. */
  readonly actor: string;
  /** Aborted when the caller has gone or its deadline has passed. */
  readonly signal: AbortSignal;
  /** The trace that the call is part of (W3C Trace Context). */
  readonly traceparent?: string | null;
}

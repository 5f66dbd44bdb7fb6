/** The caller on whose behalf a use case runs; created once, where a call enters the platform. */
export interface Caller {
  /** The caller's name; operations and events record it as their `actor`. */
  readonly principal: string;
  readonly groups: readonly string[];
  /** `system` is the platform itself, `service` another program. */
  readonly kind: "user" | "service" | "system";
  /** The address that the call came from; null if it is not known. */
  readonly source: string | null;
  /** The trace that the call belongs to (W3C Trace Context); null if there is none. */
  readonly traceparent: string | null;
  /** Aborted when the caller has gone or its deadline has passed. */
  readonly signal: AbortSignal;
}

/** Parts of the platform that make changes on their own. */
export type SystemPart = "janitor" | "expiry" | "retention" | "drift" | "temporal";

/** The principal of a part of the platform, as recorded in operations and events. */
export function systemPrincipal(part: SystemPart): string {
  return `system:${part}`;
}

/** A part of the platform as a caller of use cases. */
export function systemCaller(part: SystemPart, signal: AbortSignal): Caller {
  return {
    principal: systemPrincipal(part),
    groups: [],
    kind: "system",
    source: null,
    traceparent: null,
    signal,
  };
}

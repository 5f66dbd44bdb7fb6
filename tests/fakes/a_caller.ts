import type { Caller } from "@mpc/services";

/** A user as a caller, with the given fields overridden. */
export function aCaller(overrides: Partial<Caller> = {}): Caller {
  return {
    principal: "ann",
    groups: [],
    kind: "user",
    source: null,
    traceparent: null,
    signal: new AbortController().signal,
    ...overrides,
  };
}

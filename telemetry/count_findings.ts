import type { Metrics } from "./metrics.ts";

/** Observes periodic passes, as the housekeeping of workers reports them. */
interface HousekeepingObserver {
  found(pass: string, finding: string): void;
  ended(pass: string, end: { readonly failed: boolean; readonly durationMs: number }): void;
}

/** Counts periodic passes and their findings. */
export const countFindings = ({ findings, passSeconds }: Metrics): HousekeepingObserver => ({
  found: (pass, finding) => findings.labels(pass, finding).inc(),
  ended: (pass, { failed, durationMs }) =>
    passSeconds.labels(pass, failed ? "failed" : "succeeded").observe(durationMs / 1_000),
});

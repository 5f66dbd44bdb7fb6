/** The figures of a process for Prometheus, and the decorators that measure it. */
export { measureCalls } from "./call_metrics.ts";
export { countAttempts, countRetries } from "./count_attempts.ts";
export { countAuthentications } from "./count_authentications.ts";
export { countFindings } from "./count_findings.ts";
export { countRequests } from "./count_requests.ts";
export { countRefusals } from "./count_refusals.ts";
export { meteredStore } from "./metered_store.ts";
export { Metrics } from "./metrics.ts";
export { metricsPage } from "./metrics_page.ts";

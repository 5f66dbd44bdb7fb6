/** The figures of a process for Prometheus, and the decorators that measure it. */
export { measureCalls } from "./call_metrics.ts";
export { countAttempts } from "./count_attempts.ts";
export { countRefusals } from "./count_refusals.ts";
export { meteredStore } from "./metered_store.ts";
export { Metrics } from "./metrics.ts";
export { observeSinks } from "./observe_sinks.ts";
export { metricsPage } from "./metrics_page.ts";

/** The figures of a process for Prometheus, and the decorators that measure it. */
export { callActivity } from "./call_activity.ts";
export { measureCalls } from "./call_metrics.ts";
export { countAttempts, countRetries } from "./count_attempts.ts";
export { countAuthentications } from "./count_authentications.ts";
export { countFindings } from "./count_findings.ts";
export { countRequests } from "./count_requests.ts";
export { countRefusals } from "./count_refusals.ts";
export { meteredStore } from "./metered_store.ts";
export { Metrics } from "./metrics.ts";
export { observeSinks } from "./observe_sinks.ts";
export { metricsPage } from "./metrics_page.ts";
export { traceCalls } from "./traced_calls.ts";
export { tracedKubeClient } from "./traced_kube_client.ts";
export { traceOutgoing } from "./traced_outgoing.ts";
export { tracedProvider } from "./traced_provider.ts";
export { tracedStore } from "./traced_store.ts";

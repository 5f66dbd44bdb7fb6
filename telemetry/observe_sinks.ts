import type { Metrics } from "./metrics.ts";

/** What the delivery of events reports; sinks are those of a file, so there are few. */
interface SinkObserver {
  onAttempt(sink: string, outcome: "delivered" | "retried" | "dead"): void;
  onState(sink: string, state: { readonly lagMs: number; readonly deadLetters: number }): void;
  onStopped(sink: string): void;
}

/** Counts deliveries to sinks, and shows how far behind they are. */
export function observeSinks(metrics: Metrics): SinkObserver {
  return {
    onAttempt(sink, outcome) {
      metrics.sinkDeliveries.labels(sink, outcome).inc();
    },
    onState(sink, { lagMs, deadLetters }) {
      metrics.sinkLag.labels(sink).set(lagMs / 1_000);
      metrics.sinkDeadLetters.labels(sink).set(deadLetters);
    },
    onStopped(sink) {
      metrics.sinkLag.remove(sink);
      metrics.sinkDeadLetters.remove(sink);
    },
  };
}

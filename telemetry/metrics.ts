import process from "node:process";
import { OPERATION_KINDS, type Responsible } from "@mpc/domain";
import { lostLogLines } from "@mpc/process";
import {
  Counter,
  Gauge,
  Histogram,
  type Metric,
  type OpenMetricsContentType,
  Registry,
} from "prom-client";

/** Calls of a server on the same machine take a millisecond, those that wait for a cluster minutes. */
const CALL_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Operations take what their steps take: from a moment to the hours of a deadline. */
const OPERATION_SECONDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

/** Who must act on the failure of an operation; `none` for those that succeeded or were cancelled. */
const FAULTS: readonly (Responsible | "none")[] = [
  "none",
  "caller",
  "platform",
  "cluster",
  "nobody",
];

/** How often the lag of the event loop is measured. */
const LAG_INTERVAL_MS = 500;

interface RunningCalls {
  readonly service: string;
  readonly method: string;
  count: number;
}

/** One metric, as the documentation lists it. */
export interface MetricDescription {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  readonly help: string;
}

/**
 * The figures of one process, as Prometheus reads them. Names follow "Metric and label naming"
 * (Prometheus documentation). Every label has few values: methods, kinds, codes and reasons, never
 * the name of a resource or a caller.
 */
export class Metrics implements Disposable {
  readonly #registry = new Registry();
  readonly #lagTimer: ReturnType<typeof setInterval>;

  readonly rpcSeconds = registered(
    this.#registry,
    // The type has the labels of exemplars besides its own.
    new Histogram<string>({
      name: "mpc_rpc_duration_seconds",
      help: "How long unary calls took, by service, method and code.",
      labelNames: ["service", "method", "code"],
      buckets: CALL_SECONDS,
      enableExemplars: true,
      // Prometheus' own format has no exemplars, and its registries accept no metric with some.
      registers: [openMetricsRegistry()],
    }),
  );
  readonly rpcStreams = new Counter({
    name: "mpc_rpc_streams_total",
    help: "Streams that ended, by service, method and code.",
    labelNames: ["service", "method", "code"] as const,
    registers: [this.#registry],
  });
  readonly rpcRunning = new Gauge({
    name: "mpc_rpc_running",
    help: "Calls and streams that run now, by service and method.",
    labelNames: ["service", "method"] as const,
    registers: [this.#registry],
  });
  readonly refusals = new Counter({
    name: "mpc_rpc_refusals_total",
    help: "Calls refused for who calls, what they may do, or how often, by code and reason.",
    labelNames: ["code", "reason"] as const,
    registers: [this.#registry],
  });
  readonly storageSeconds = new Histogram({
    name: "mpc_storage_call_duration_seconds",
    help: "How long calls of the store took, by collection, method and outcome.",
    labelNames: ["collection", "method", "outcome"] as const,
    buckets: CALL_SECONDS,
    registers: [this.#registry],
  });
  readonly events = new Counter({
    name: "mpc_events_written_total",
    help: "Events that this process wrote, by reason.",
    labelNames: ["reason"] as const,
    registers: [this.#registry],
  });
  readonly operationSeconds = new Histogram({
    name: "mpc_operation_duration_seconds",
    help:
      "How long operations took from their request to the end that this process wrote, by kind, engine and outcome.",
    labelNames: ["kind", "engine", "outcome"] as const,
    buckets: OPERATION_SECONDS,
    registers: [this.#registry],
  });
  readonly operationsEnded = new Counter({
    name: "mpc_operations_ended_total",
    help:
      "Operations that this process ended, by kind and by who must act on their failure: none, caller, platform, cluster or nobody.",
    labelNames: ["kind", "fault"] as const,
    registers: [this.#registry],
  });
  readonly stepAttempts = new Counter({
    name: "mpc_step_attempts_total",
    help:
      "Attempts of steps and undos that this process ended, by step, direction, result and reason of failure.",
    labelNames: ["step", "direction", "result", "reason"] as const,
    registers: [this.#registry],
  });
  readonly stepRetries = new Counter({
    name: "mpc_step_retries_total",
    help:
      "Failed attempts of steps and undos that are followed by another, by step, direction and reason.",
    labelNames: ["step", "direction", "reason"] as const,
    registers: [this.#registry],
  });
  readonly kubernetesRequests = new Counter({
    name: "mpc_kubernetes_requests_total",
    help:
      "Requests to clusters by verb, kind of object, and HTTP status, or the error's code without one.",
    labelNames: ["verb", "kind", "code"] as const,
    registers: [this.#registry],
  });
  readonly kubernetesSeconds = new Histogram({
    name: "mpc_kubernetes_request_duration_seconds",
    help: "How long clusters took until the beginning of a response, by verb.",
    labelNames: ["verb"] as const,
    buckets: CALL_SECONDS,
    registers: [this.#registry],
  });
  readonly authentications = new Counter({
    name: "mpc_authentications_total",
    help: "Callers by the kind of their credentials, and OK or the reason of a refusal.",
    labelNames: ["authentication", "outcome"] as const,
    registers: [this.#registry],
  });
  readonly watchers = new Gauge({
    name: "mpc_watchers",
    help: "Streams that are open now, by service and method.",
    labelNames: ["service", "method"] as const,
    registers: [this.#registry],
  });
  readonly droppedWatchers = new Counter({
    name: "mpc_watchers_dropped_total",
    help: "Streams that were cut off because their reader was too slow, by service and method.",
    labelNames: ["service", "method"] as const,
    registers: [this.#registry],
  });
  readonly findings = new Counter({
    name: "mpc_housekeeping_findings_total",
    help: "What janitor, expiry and drift passes of this process found, by pass and finding.",
    labelNames: ["pass", "finding"] as const,
    registers: [this.#registry],
  });
  readonly passSeconds = new Histogram({
    name: "mpc_housekeeping_pass_duration_seconds",
    help: "How long periodic passes of this process took, by pass and outcome.",
    labelNames: ["pass", "outcome"] as const,
    buckets: CALL_SECONDS,
    registers: [this.#registry],
  });
  readonly sinkDeliveries = new Counter({
    name: "mpc_event_sink_deliveries_total",
    help:
      "Attempts to deliver an event to a sink, by sink and outcome: delivered, retried or dead.",
    labelNames: ["sink", "outcome"] as const,
    registers: [this.#registry],
  });
  readonly sinkLag = new Gauge({
    name: "mpc_event_sink_lag_seconds",
    help:
      "How old the oldest event is that is not delivered yet, by sink; only at the process that delivers.",
    labelNames: ["sink"] as const,
    registers: [this.#registry],
  });
  readonly sinkDeadLetters = new Gauge({
    name: "mpc_event_sink_dead_letters",
    help: "Dead letters that are kept, by sink; only at the process that delivers.",
    labelNames: ["sink"] as const,
    registers: [this.#registry],
  });
  readonly operations = new Gauge({
    name: "mpc_operations",
    help: "Operations that have not ended or need attention, by state; read from the store.",
    labelNames: ["state"] as const,
    registers: [this.#registry],
  });
  readonly environments = new Gauge({
    name: "mpc_environments",
    help: "Environments, by state; read from the store.",
    labelNames: ["state"] as const,
    registers: [this.#registry],
  });
  readonly workloads = new Gauge({
    name: "mpc_workloads",
    help: "Workloads, by state; read from the store.",
    labelNames: ["state"] as const,
    registers: [this.#registry],
  });
  readonly stalled = new Gauge({
    name: "mpc_operations_stalled",
    help:
      "Operations on which nothing works, as the filter stalled:true finds them; read from the store.",
    registers: [this.#registry],
  });
  readonly queueAge = new Gauge({
    name: "mpc_operations_queue_age_seconds",
    help: "How long the oldest operation that has not begun has waited; read from the store.",
    registers: [this.#registry],
  });
  readonly eventHead = new Gauge({
    name: "mpc_event_log_head",
    help: "The sequence of the newest event; read from the store.",
    registers: [this.#registry],
  });
  readonly eventLag = new Gauge({
    name: "mpc_event_log_lag",
    help:
      "How many events the slowest follower of this process, such as its dispatcher, has not taken yet.",
    registers: [this.#registry],
  });
  readonly storeUp = new Gauge({
    name: "mpc_store_up",
    help:
      "1 if the store answered this scrape, 0 if not: the figures read from it are then absent.",
    registers: [this.#registry],
  });
  readonly componentReady = new Gauge({
    name: "mpc_component_ready",
    help: "1 if a part of this process can do its work, as /readyz says, by part.",
    labelNames: ["component"] as const,
    registers: [this.#registry],
  });
  readonly componentWarning = new Gauge({
    name: "mpc_component_warning",
    help:
      "1 if a part of this process needs attention although it works, as /readyz says, by part: for instance a certificate that expires soon, or a changed access file that is wrong.",
    labelNames: ["component"] as const,
    registers: [this.#registry],
  });
  // Not prom-client's own figures of processes: they read /proc, which no process may here, and are
  // then 0.
  readonly #cpu = new Counter({
    name: "process_cpu_seconds_total",
    help: "User and system CPU time of this process.",
    registers: [this.#registry],
  });
  readonly #memory = new Gauge({
    name: "process_resident_memory_bytes",
    help: "Memory of this process in RAM.",
    registers: [this.#registry],
  });
  readonly #heap = new Gauge({
    name: "mpc_heap_bytes",
    help: "V8's heap, by what it is counted for: used, total, or external to the heap.",
    labelNames: ["kind"] as const,
    registers: [this.#registry],
  });
  readonly #loopLag = new Gauge({
    name: "mpc_event_loop_lag_seconds",
    help: "The longest delay of a timer since the last scrape.",
    registers: [this.#registry],
  });
  readonly #lostLines = new Counter({
    name: "mpc_log_lines_lost_total",
    help: "Log lines that standard output did not take.",
    registers: [this.#registry],
  });
  readonly #running: RunningCalls[] = [];
  /** How far each follower of the event log in this process is. */
  readonly followers = new Set<{ readonly at: number }>();
  #longestLag = 0;
  #cpuSeconds = 0;
  #lostBefore = lostLogLines();

  constructor(build: { readonly version: string; readonly process: string }) {
    // Rates do not see a series that begins with 1, and failures are few.
    for (const kind of OPERATION_KINDS) {
      for (const fault of FAULTS) this.operationsEnded.labels(kind, fault).inc(0);
    }
    new Gauge({
      name: "mpc_build_info",
      help: "Always 1; the labels say which program this is.",
      labelNames: ["version", "process", "deno", "v8"] as const,
      registers: [this.#registry],
    }).set({ ...build, deno: Deno.version.deno, v8: Deno.version.v8 }, 1);
    new Gauge({
      name: "process_start_time_seconds",
      help: "When this process began, in seconds since 1970.",
      registers: [this.#registry],
    }).set(performance.timeOrigin / 1_000);
    let due = performance.now() + LAG_INTERVAL_MS;
    this.#lagTimer = setInterval(() => {
      const now = performance.now();
      this.#longestLag = Math.max(this.#longestLag, now - due);
      due = now + LAG_INTERVAL_MS;
    }, LAG_INTERVAL_MS);
    Deno.unrefTimer(this.#lagTimer);
  }

  /** The calls of a method that run now: a number, because a gauge looks its labels up each time. */
  runningCalls(service: string, method: string): { count: number } {
    const calls = { service, method, count: 0 };
    this.#running.push(calls);
    return calls;
  }

  /** What is measured, for the documentation. */
  describe(): readonly MetricDescription[] {
    return this.#registry.getMetricsAsArray().map((metric) => ({
      name: metric.name,
      help: metric.help,
      type: metric instanceof Histogram
        ? "histogram"
        : metric instanceof Counter
        ? "counter"
        : "gauge",
      labels: labelsOf(metric),
    }));
  }

  /** How many calls of each method run now. */
  running(): readonly Readonly<RunningCalls>[] {
    return this.#running;
  }

  /** The page of all figures, with exemplars in OpenMetrics only. */
  async page(
    format: MetricsFormat = "prometheus",
  ): Promise<{ readonly text: string; readonly contentType: string }> {
    for (const { service, method, count } of this.running()) {
      this.rpcRunning.labels(service, method).set(count);
    }
    this.#loopLag.set(this.#longestLag / 1_000);
    this.#longestLag = 0;
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1e6;
    this.#cpu.inc(Math.max(0, cpuSeconds - this.#cpuSeconds));
    this.#cpuSeconds = cpuSeconds;
    const lost = lostLogLines();
    this.#lostLines.inc(lost - this.#lostBefore);
    this.#lostBefore = lost;
    const { rss, heapUsed, heapTotal, external } = Deno.memoryUsage();
    this.#memory.set(rss);
    for (const [kind, bytes] of Object.entries({ used: heapUsed, total: heapTotal, external })) {
      this.#heap.labels(kind).set(bytes);
    }
    const page = format === "openmetrics" ? openMetricsOf(this.#registry) : this.#registry;
    return { text: await page.metrics(), contentType: page.contentType };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#lagTimer);
  }
}

/** The formats of the page ("Exposition formats", Prometheus documentation). */
export type MetricsFormat = "prometheus" | "openmetrics";

function openMetricsRegistry(): Registry<OpenMetricsContentType> {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return registry;
}

/** A metric that is also in a registry whose format cannot show all of it. */
function registered<M extends Metric>(registry: Registry, metric: M): M {
  registry.registerMetric(metric);
  return metric;
}

/**
 * The same metrics for OpenMetrics. They are views, because prom-client removes `_total` from the
 * names of counters when it writes this format.
 */
function openMetricsOf(registry: Registry): Registry<OpenMetricsContentType> {
  const views = openMetricsRegistry();
  for (const metric of registry.getMetricsAsArray()) views.registerMetric(Object.create(metric));
  return views;
}

/** The names of a metric's labels, which prom-client's types do not have. */
function labelsOf(metric: object): readonly string[] {
  const names: unknown = Reflect.get(metric, "labelNames");
  return Array.isArray(names) ? names.map(String) : [];
}

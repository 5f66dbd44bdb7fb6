/** What one process does and needs. */
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { choice, curves, figure, page } from "./panels.ts";
import { CALLS, perSecond, quantile, STORE_CALLS } from "./queries.ts";

export function oneProcess(): Dashboard {
  const chosen = `job=~"$job", instance=~"$instance"`;
  const one = `{${chosen}}`;
  return page("mpc-process", "Mini platform: one process", "What one process does and needs")
    .withVariable(choice("job", "Job", "mpc_build_info"))
    .withVariable(choice("instance", "Process", "mpc_build_info"))
    .withPanel(figure(
      { title: "Running for", description: "Since this process began", unit: "s" },
      `time() - process_start_time_seconds${one}`,
      { below: 300 },
    ))
    .withPanel(figure(
      { title: "Store", description: "1 if it reads the store", unit: "none" },
      `mpc_store_up${one}`,
      { below: 1 },
    ))
    .withPanel(figure(
      { title: "Calls now", description: "Calls and streams that run", unit: "short" },
      `sum(mpc_rpc_running${one})`,
      { from: 1_000 },
    ))
    .withPanel(curves(
      {
        title: "Parts that are ready",
        description: "1 if a part can do its work; /readyz says why not",
        unit: "none",
      },
      [`mpc_component_ready${one}`, "{{component}}"],
    ))
    .withPanel(curves(
      { title: "Processor", description: "Processors in use", unit: "percentunit" },
      [perSecond(`process_cpu_seconds_total${one}`), "processors"],
    ))
    .withPanel(curves(
      { title: "Memory", description: "Of the process, and V8's heap", unit: "bytes" },
      [`process_resident_memory_bytes${one}`, "resident"],
      [`mpc_heap_bytes${one}`, "heap {{kind}}"],
    ))
    .withPanel(curves(
      {
        title: "Event loop",
        description: "The longest delay of a timer between two scrapes",
        unit: "s",
      },
      [`mpc_event_loop_lag_seconds${one}`, "delay"],
    ))
    .withPanel(curves(
      { title: "Calls", description: "By method", unit: "reqps" },
      [`sum by (method) (${perSecond(`${CALLS}_count${one}`)})`, "{{method}}"],
    ))
    .withPanel(curves(
      { title: "Latency of calls", description: "99 % are faster, by method", unit: "s" },
      [quantile(0.99, CALLS, one, "method"), "{{method}}"],
    ))
    .withPanel(curves(
      { title: "Streams", description: "That ended, by method and code", unit: "reqps" },
      [
        `sum by (method, code) (${perSecond(`mpc_rpc_streams_total${one}`)})`,
        "{{method}} {{code}}",
      ],
    ))
    .withPanel(curves(
      { title: "Calls of the store", description: "By outcome", unit: "ops" },
      [`sum by (outcome) (${perSecond(`${STORE_CALLS}_count${one}`)})`, "{{outcome}}"],
    ))
    .withPanel(curves(
      { title: "Latency of the store", description: "99 % are faster, by collection", unit: "s" },
      [quantile(0.99, STORE_CALLS, one, "collection"), "{{collection}}"],
    ))
    .withPanel(curves(
      {
        title: "Events written",
        description: "By this process, by reason",
        unit: "ops",
      },
      [`sum by (reason) (${perSecond(`mpc_events_written_total${one}`)})`, "{{reason}}"],
    ))
    .withPanel(curves(
      {
        title: "Event log",
        description: "New events a second, of all processes; read from the store",
        unit: "ops",
      },
      [`deriv(mpc_event_log_head${one}[$__rate_interval])`, "events"],
    ))
    .build();
}

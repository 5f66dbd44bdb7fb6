/** The first page to look at: what runs, what waits, and what fails. */
import { type Dashboard, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { curves, figure, page } from "./panels.ts";
import { CALLS, fromStore, OPERATIONS, perSecond, quantile } from "./queries.ts";

const FAILED_CODES = "UNKNOWN|INTERNAL|UNAVAILABLE|DATA_LOSS|DEADLINE_EXCEEDED";

export function overview(): Dashboard {
  return page("mpc-overview", "Mini platform: overview", "What runs, what waits, and what fails")
    .withPanel(figure(
      {
        title: "Processes",
        description: "Processes of the platform that answer Prometheus",
        unit: "short",
      },
      "count(mpc_build_info)",
      { below: 1 },
    ))
    .withPanel(figure(
      {
        title: "Not ready",
        description: "Parts of processes that cannot do their work; /readyz says why",
        unit: "short",
      },
      "count(mpc_component_ready == 0) or vector(0)",
      { from: 1 },
    ))
    .withPanel(figure(
      {
        title: "Stalled operations",
        description: "mpctl op list --filter stalled:true",
        unit: "short",
      },
      fromStore("mpc_operations_stalled"),
      { from: 1 },
    ))
    .withPanel(figure(
      {
        title: "Need attention",
        description: "Operations that could not be undone and wait for a person",
        unit: "short",
      },
      `max(mpc_operations{state="NEEDS_ATTENTION"})`,
      { from: 1 },
    ))
    .withPanel(figure(
      {
        title: "Longest wait",
        description: "How long the oldest operation that has not begun has waited",
        unit: "s",
      },
      fromStore("mpc_operations_queue_age_seconds"),
      { from: 300 },
    ))
    .withPanel(figure(
      { title: "Alerts", description: "Alerts that fire now", unit: "short" },
      `count(ALERTS{alertname=~"Mpc.*", alertstate="firing"}) or vector(0)`,
      { from: 1 },
    ))
    .withRow(new RowBuilder("Objectives"))
    .withPanel(curves(
      {
        title: "Burn of the error budgets, within an hour",
        description: "1 spends a budget of 30 days within 30 days; above 14.4 somebody is woken",
        unit: "none",
      },
      ["mpc:slo_burn:ratio1h", "{{slo}}"],
    ))
    .withPanel(curves(
      {
        title: "Burn of the error budgets, within three days",
        description: "Above 1 the objective will be missed",
        unit: "none",
      },
      ["mpc:slo_burn:ratio3d", "{{slo}}"],
    ))
    .withRow(new RowBuilder("Calls"))
    .withPanel(curves(
      { title: "Calls", description: "Calls a second, by code", unit: "reqps" },
      [`sum by (code) (${perSecond(`${CALLS}_count`)})`, "{{code}}"],
    ))
    .withPanel(curves(
      { title: "Latency of calls", description: "Without calls that wait", unit: "s" },
      [quantile(0.5, CALLS, `{method!="WaitOperation"}`), "half are faster"],
      [quantile(0.99, CALLS, `{method!="WaitOperation"}`), "99 % are faster"],
    ))
    .withPanel(curves(
      {
        title: "Failed calls",
        description: "Calls that fail because of the server, by method and code",
        unit: "reqps",
      },
      [
        `sum by (method, code) (${perSecond(`${CALLS}_count{code=~"${FAILED_CODES}"}`)})`,
        "{{method}} {{code}}",
      ],
    ))
    .withPanel(curves(
      {
        title: "Refused calls",
        description: "For who calls, what they may do, or how often",
        unit: "reqps",
      },
      [`sum by (reason) (${perSecond("mpc_rpc_refusals_total")})`, "{{reason}}"],
    ))
    .withRow(new RowBuilder("Operations"))
    .withPanel(curves(
      { title: "Operations now", description: "By state; read from the store", unit: "short" },
      ["max by (state) (mpc_operations)", "{{state}}"],
    ))
    .withPanel(curves(
      {
        title: "Operations that ended",
        description: "By kind and outcome",
        unit: "ops",
      },
      [
        `sum by (kind, outcome) (${perSecond(`${OPERATIONS}_count`)})`,
        "{{kind}} {{outcome}}",
      ],
    ))
    .withPanel(curves(
      {
        title: "Failures, by who must act",
        description: "A caller's failures do not count against the objective",
        unit: "ops",
      },
      [
        `sum by (fault) (${perSecond(`mpc_operations_ended_total{fault!="none"}`)})`,
        "{{fault}}",
      ],
    ))
    .withPanel(curves(
      {
        title: "Environments and workloads",
        description: "By state; read from the store",
        unit: "short",
      },
      ["max by (state) (mpc_environments)", "environments {{state}}"],
      ["max by (state) (mpc_workloads)", "workloads {{state}}"],
    ))
    .build();
}

/** What the dashboards are put together from: panels with a query and a unit. */
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  GraphDrawStyle,
  ReduceDataOptionsBuilder,
  VisibilityMode,
} from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";

/** The Prometheus that the reader of a dashboard chooses. */
const SOURCE = { type: "prometheus", uid: "${datasource}" };

/** The units that panels have, as Grafana names them. */
export type Unit = "s" | "short" | "bytes" | "percentunit" | "reqps" | "ops" | "none";

export interface PanelText {
  readonly title: string;
  /** What an operator reads from it. */
  readonly description: string;
  readonly unit: Unit;
}

/** A query, and the legend of its series. */
export type Query = readonly [expr: string, legend: string];

/** A panel of curves, half as wide as the page. */
export function curves(text: PanelText, ...queries: readonly Query[]): Builder<dashboard.Panel> {
  const panel = new timeseries.PanelBuilder()
    .drawStyle(GraphDrawStyle.Line)
    .fillOpacity(10)
    .showPoints(VisibilityMode.Never)
    .min(0)
    .height(8)
    .span(12);
  return filled(panel, text, queries);
}

/**
 * A panel of one number, and red from a limit on.
 * @param alarm the limit
 */
export function figure(
  text: PanelText,
  expr: string,
  alarm: { readonly from: number } | { readonly below: number },
): Builder<dashboard.Panel> {
  const [bad, good] = ["red", "green"];
  const steps = "from" in alarm
    ? [{ value: null, color: good }, { value: alarm.from, color: bad }]
    : [{ value: null, color: bad }, { value: alarm.below, color: good }];
  const panel = new stat.PanelBuilder()
    .height(4)
    .span(4)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .thresholds(
      new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(steps),
    );
  return filled(panel, text, [[expr, ""]]);
}

function filled<Panel extends stat.PanelBuilder | timeseries.PanelBuilder>(
  panel: Panel,
  { title, description, unit }: PanelText,
  queries: readonly Query[],
): Panel {
  panel.title(title).description(description).unit(unit).datasource(SOURCE);
  for (const [index, [expr, legend]] of queries.entries()) {
    panel.withTarget(
      new DataqueryBuilder()
        .expr(expr)
        .legendFormat(legend)
        .range()
        .datasource(SOURCE)
        .refId(String.fromCharCode("A".charCodeAt(0) + index)),
    );
  }
  return panel;
}

/** A dashboard with a choice of the Prometheus to ask, and links to the others. */
export function page(
  uid: string,
  title: string,
  description: string,
): dashboard.DashboardBuilder {
  return new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(["mpc"])
    .timezone("browser")
    .time({ from: "now-6h", to: "now" })
    .refresh("30s")
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .withVariable(
      new dashboard.DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"),
    )
    .link(
      new dashboard.DashboardLinkBuilder("Mini platform")
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags(["mpc"])
        .keepTime(true)
        .includeVars(true),
    );
}

/** A choice among the values of a label. */
export function choice(
  label: string,
  title: string,
  metric: string,
): Builder<dashboard.VariableModel> {
  return new dashboard.QueryVariableBuilder(label)
    .label(title)
    .query({ query: `label_values(${metric}, ${label})`, refId: label })
    .datasource(SOURCE)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc);
}

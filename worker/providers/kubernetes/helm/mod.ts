/** Renders workloads that are Helm charts. */
export { chartValues } from "./chart_values.ts";
export { type ChartIntent, HelmCharts, isChartIntent } from "./helm_charts.ts";
export { noCharts } from "./helm_errors.ts";
export { DEFAULT_HELM_OPTIONS, type HelmOptions } from "./helm_options.ts";

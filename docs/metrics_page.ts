/** The page of metrics, made from their definitions: `deno task docs`. */
import { Metrics } from "@mpc/telemetry";
import { markdownTable } from "./markdown_table.ts";

const HEAD = `# Metrics

Made from \`telemetry/metrics.ts\` by \`deno task docs\`; do not edit.

Every process has these figures at \`/metrics\` in Prometheus' text format: \`dev\` and \`api\` at the web
door, \`worker\` at its health address. With an access file the web door asks for credentials of somebody
who may \`platform.diagnose\`, for instance a static token in Prometheus' \`authorization\` setting.

Labels have few values: a thousand environments add no series. Counters and histograms count what the
process itself did, so add them up over processes. What is *read from the store* is the same at every
process, so take the maximum.

A process that is connected to Temporal also has the metrics of Temporal's SDK on its page, as its own
exporter writes them: their names begin with \`temporal_\` ("SDK metrics reference", Temporal
documentation).

`;

/** The page's text. */
export function metricsPage(): Promise<string> {
  using metrics = new Metrics({ version: "", process: "" });
  const rows = metrics.describe().map(({ name, type, labels, help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(", "),
    help,
  ]);
  return Promise.resolve(
    HEAD + markdownTable(["Metric", "Type", "Labels", "What it says"], rows),
  );
}

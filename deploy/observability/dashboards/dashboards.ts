/** The dashboards for Grafana; `deno task docs` writes them as JSON. */
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { operationKind } from "./operation_kind.ts";
import { overview } from "./overview.ts";
import { oneProcess } from "./process.ts";

const asJson = (dashboard: Dashboard) => () => {
  // Grafana numbers panels when it imports them, differently each time, unless they have ids.
  const panels = dashboard.panels?.map((panel, index) => ({ ...panel, id: index + 1 }));
  return Promise.resolve(`${JSON.stringify({ ...dashboard, panels }, null, 2)}\n`);
};

/** The text of each dashboard, by the name of its file. */
export const DASHBOARDS: Readonly<Record<string, () => Promise<string>>> = {
  "overview.json": asJson(overview()),
  "operation_kind.json": asJson(operationKind()),
  "process.json": asJson(oneProcess()),
};

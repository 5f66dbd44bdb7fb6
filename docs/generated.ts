import { DASHBOARDS } from "../deploy/observability/dashboards/dashboards.ts";
import { apiPage } from "./api_page.ts";
import { logSchemaText } from "./log_schema.ts";
import { metricsPage } from "./metrics_page.ts";
import { mpctlPage } from "./mpctl_page.ts";
import { openApiText } from "./openapi/document.ts";
import { permissionsPage } from "./permissions_page.ts";
import { reasonsPage } from "./reasons_page.ts";

/** What is made from code, by the path of its file. */
export const GENERATED: Readonly<Record<string, () => Promise<string>>> = {
  "api.md": apiPage,
  "log-line.schema.json": logSchemaText,
  "metrics.md": metricsPage,
  "mpctl.md": mpctlPage,
  "permissions.md": permissionsPage,
  "reasons.md": reasonsPage,
  "../api/openapi.json": openApiText,
  ...Object.fromEntries(
    Object.entries(DASHBOARDS).map(([name, text]) => [
      `../deploy/observability/dashboards/${name}`,
      text,
    ]),
  ),
};

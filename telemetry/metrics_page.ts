import type { Components } from "@mpc/process";
import type { Clock } from "@mpc/services";
import type { Store } from "@mpc/storage";
import type { Metrics, MetricsFormat } from "./metrics.ts";
import { readStoreFigures } from "./store_figures.ts";

/**
 * The response to `/metrics`, in OpenMetrics for scrapers that accept it. Requests of one format that
 * come while a page is made get the same one, so that many of them read the store once.
 */
export function metricsPage(
  metrics: Metrics,
  sources: {
    readonly components: Components;
    readonly store: Store;
    readonly clock: Clock;
  },
): (accept: string | null) => Promise<Response> {
  const pages = new Map<MetricsFormat, ReturnType<Metrics["page"]>>();
  const make = async (format: MetricsFormat) => {
    const [{ checks }] = await Promise.all([
      sources.components.readiness(),
      readStoreFigures(metrics, sources),
    ]);
    for (const check of checks) {
      const { name, ready } = check;
      metrics.componentReady.labels(name).set(Number(ready));
      const warns = check.ready && check.warning !== undefined;
      metrics.componentWarning.labels(name).set(Number(warns));
    }
    return await metrics.page(format);
  };
  return async (accept) => {
    const format = accept?.includes("application/openmetrics-text") ? "openmetrics" : "prometheus";
    const page = pages.get(format) ?? make(format).finally(() => pages.delete(format));
    pages.set(format, page);
    const { text, contentType } = await page;
    return new Response(text, { headers: { "content-type": contentType } });
  };
}

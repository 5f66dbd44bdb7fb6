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
    /** More figures in the same format, from libraries with a page of their own. */
    readonly others?: () => Promise<string>;
  },
): (accept: string | null) => Promise<Response> {
  const pages = new Map<MetricsFormat, ReturnType<Metrics["page"]>>();
  const make = async (format: MetricsFormat) => {
    const [{ checks }, others] = await Promise.all([
      sources.components.readiness(),
      sources.others?.() ?? "",
      readStoreFigures(metrics, sources),
    ]);
    for (const check of checks) {
      const { name, ready } = check;
      metrics.componentReady.labels(name).set(Number(ready));
      const warns = check.ready && check.warning !== undefined;
      metrics.componentWarning.labels(name).set(Number(warns));
    }
    // Libraries know the older format alone.
    const { text, contentType } = await metrics.page(others === "" ? format : "prometheus");
    return { text: `${text}${others}`, contentType };
  };
  return async (accept) => {
    const format = accept?.includes("application/openmetrics-text") ? "openmetrics" : "prometheus";
    const page = pages.get(format) ?? make(format).finally(() => pages.delete(format));
    pages.set(format, page);
    const { text, contentType } = await page;
    return new Response(text, { headers: { "content-type": contentType } });
  };
}

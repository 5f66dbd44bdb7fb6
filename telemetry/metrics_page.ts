import type { Components } from "@mpc/process";
import type { Clock } from "@mpc/services";
import type { Store } from "@mpc/storage";
import type { Metrics } from "./metrics.ts";
import { readStoreFigures } from "./store_figures.ts";

/**
 * The response to `/metrics`. Requests that come while a page is made get the same one, so that many
 * of them read the store once.
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
): () => Promise<Response> {
  let page: Promise<{ readonly text: string; readonly contentType: string }> | undefined;
  const make = async () => {
    const [{ checks }, others] = await Promise.all([
      sources.components.readiness(),
      sources.others?.() ?? "",
      readStoreFigures(metrics, sources),
    ]);
    for (const { name, ready } of checks) metrics.componentReady.labels(name).set(Number(ready));
    const { text, contentType } = await metrics.page();
    return { text: `${text}${others}`, contentType };
  };
  return async () => {
    page ??= make().finally(() => page = undefined);
    const { text, contentType } = await page;
    return new Response(text, { headers: { "content-type": contentType } });
  };
}

import type { CallActivity } from "@mpc/process";
import type { Metrics } from "./metrics.ts";

type Figures = { -readonly [Key in keyof CallActivity]: CallActivity[Key] };

/** What has been called, from the metrics of calls; by method. */
export async function callActivity(metrics: Metrics): Promise<readonly CallActivity[]> {
  const methods = new Map<string, Figures>();
  const of = (labels: Readonly<Record<string, string | number | undefined>>): Figures => {
    const method = `${labels["service"]}/${labels["method"]}`;
    const found = methods.get(method) ??
      { method, running: 0, calls: 0, failures: 0, totalSeconds: null, buckets: [] };
    methods.set(method, found);
    return found;
  };
  const ended = (figures: Figures, code: unknown, calls: number) => {
    figures.calls += calls;
    if (code !== "OK") figures.failures += calls;
  };
  for (const { count, ...labels } of metrics.running()) of(labels).running = count;
  for (const { labels, value } of (await metrics.rpcStreams.get()).values) {
    ended(of(labels), labels.code, value);
  }
  for (const { labels, value, metricName } of (await metrics.rpcSeconds.get()).values) {
    const figures = of(labels);
    if (metricName?.endsWith("_count")) ended(figures, labels.code, value);
    else if (metricName?.endsWith("_sum")) {
      figures.totalSeconds = (figures.totalSeconds ?? 0) + value;
    } else {
      const upperBoundSeconds = Number(Reflect.get(labels, "le"));
      if (Number.isFinite(upperBoundSeconds)) {
        figures.buckets = added(figures.buckets, upperBoundSeconds, value);
      }
    }
  }
  return [...methods.values()].sort((a, b) => a.method < b.method ? -1 : 1);
}

/** The buckets of a method's codes, added up. */
function added(
  buckets: CallActivity["buckets"],
  upperBoundSeconds: number,
  calls: number,
): CallActivity["buckets"] {
  const known = buckets.find((bucket) => bucket.upperBoundSeconds === upperBoundSeconds);
  return [
    ...buckets.filter((bucket) => bucket !== known),
    { upperBoundSeconds, calls: calls + (known?.calls ?? 0) },
  ].sort((a, b) => a.upperBoundSeconds - b.upperBoundSeconds);
}

/** What workloads run, in words. */
import type { WorkloadSpec } from "@mpc/proto";

/** The image, or the chart with its version. */
export function runs(spec: WorkloadSpec | undefined): string {
  const { chart, image = "" } = spec ?? {};
  return chart ? `${chart.name}@${chart.version}` : image;
}

/** The desired number of copies, the bounds of autoscaling, or `?` for charts. */
export function copiesOf(spec: WorkloadSpec | undefined): string {
  if (spec?.chart) return "?";
  if (spec?.autoscaling) return `${spec.autoscaling.minReplicas}–${spec.autoscaling.maxReplicas}`;
  return String(spec?.replicas ?? 1);
}

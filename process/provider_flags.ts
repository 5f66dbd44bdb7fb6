import type { Command } from "@commander-js/extra-typings";
import type { z } from "zod";
import { CHART_FLAGS, type ChartSettings, chartsOf, withCharts } from "./charts.ts";
import { CLUSTER_FLAGS, type ClusterSettings, clustersOf, withClusters } from "./clusters.ts";
import { oneOf } from "./settings.ts";

/** What a process that carries operations out works on. */
export interface ProviderSettings {
  /** Kubernetes clusters by name; none for a simulated one. */
  readonly clusters: readonly ClusterSettings[];
  /** Which Helm charts workloads there may be. */
  readonly charts: ChartSettings;
  /** Whether the simulated cluster takes its time. */
  readonly simulatedDelays: "demo" | "none";
}

/** The flags about clusters and charts, for {@linkcode withProvider}. */
export const PROVIDER_FLAGS = {
  ...CLUSTER_FLAGS,
  ...CHART_FLAGS,
  simulatedDelays: oneOf(["demo", "none"]),
} as const;

/** Adds the flags about clusters and charts; without any the cluster is simulated. */
export function withProvider(
  command: Command<[]>,
  env: Readonly<Record<string, string | undefined>>,
): Command<[]> {
  const clusters = withClusters(command, env)
    .option("--simulated-delays <how>", "demo: simulated rollouts take their time; none", "demo");
  return withCharts(clusters, env);
}

/**
 * What flags say of clusters and charts.
 * @throws {MpcError} INVALID_ARGUMENT `USAGE` for flags that contradict, `CLUSTERS_FILE_INVALID`
 */
export function providerOf(
  flags: z.output<z.ZodObject<typeof PROVIDER_FLAGS>>,
): ProviderSettings {
  return {
    clusters: clustersOf(flags),
    charts: chartsOf(flags),
    simulatedDelays: flags.simulatedDelays,
  };
}

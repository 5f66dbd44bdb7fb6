import type { Command } from "@commander-js/extra-typings";
import type { z } from "zod";
import { CHART_FLAGS, type ChartSettings, chartsOf, withCharts } from "./charts.ts";
import { CLUSTER_FLAGS, type ClusterSettings, clustersOf, withClusters } from "./clusters.ts";
import { oneOf } from "./settings.ts";

/** The clusters and charts of a process that executes operations. */
export interface ProviderSettings {
  /** Kubernetes clusters by name; none for a simulated cluster. */
  readonly clusters: readonly ClusterSettings[];
  /** Which Helm charts workloads may use. */
  readonly charts: ChartSettings;
  /** Whether simulated rollouts and deletions take time. */
  readonly simulatedDelays: "demo" | "none";
}

/** The flags about clusters and charts, for {@linkcode withProvider}. */
export const PROVIDER_FLAGS = {
  ...CLUSTER_FLAGS,
  ...CHART_FLAGS,
  simulatedDelays: oneOf(["demo", "none"]),
} as const;

/** Adds the flags about clusters and charts. Without any of them, the cluster is simulated. */
export function withProvider(
  command: Command<[]>,
  env: Readonly<Record<string, string | undefined>>,
): Command<[]> {
  const clusters = withClusters(command, env)
    .option(
      "--simulated-delays <how>",
      "demo: simulated rollouts take time; none: they do not",
      "demo",
    );
  return withCharts(clusters, env);
}

/**
 * The cluster and chart settings of parsed flags.
 * @throws {MpcError} INVALID_ARGUMENT `USAGE` for conflicting flags, `CLUSTERS_FILE_INVALID`
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

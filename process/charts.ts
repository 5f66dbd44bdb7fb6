import type { Command } from "@commander-js/extra-typings";
import { z } from "zod";

/** How Helm charts are rendered, and which charts are allowed. */
export interface ChartSettings {
  /** Path of the helm program, or its name on `PATH`. */
  readonly helm: string;
  /** Folder of the charts that workloads may use. */
  readonly chartsFolder: string | null;
  /** Allowed prefixes of charts in registries. */
  readonly repositories: readonly string[];
  /** Helm's file with credentials for registries. */
  readonly registryConfig: string | null;
  readonly allowHooks: boolean;
  /** `{apiVersion}/{Kind}` of kinds that charts may contain in addition to the default ones. */
  readonly allowedKinds: readonly string[];
  /** The same for cluster-scoped kinds. */
  readonly allowedClusterKinds: readonly string[];
}

/** Rejects all charts. */
export const NO_CHARTS: ChartSettings = {
  helm: "helm",
  chartsFolder: null,
  repositories: [],
  registryConfig: null,
  allowHooks: false,
  allowedKinds: [],
  allowedClusterKinds: [],
};

const kinds = z.array(
  z.string().regex(
    /^(?:[a-z0-9.-]+\/)?v[a-z0-9]+\/[A-Z][A-Za-z]*$/,
    "must be VERSION/KIND or GROUP/VERSION/KIND",
  ),
).default([]);

/** The chart flags, for {@linkcode withCharts}. */
export const CHART_FLAGS = {
  helm: z.string().min(1, "must not be empty"),
  charts: z.string().min(1, "must not be empty").optional(),
  chartRegistry: z.array(
    z.string().regex(
      /^oci:\/\/[^/]+\//,
      "must be oci://HOST/ and the beginning of the charts' names",
    ),
  ).default([]),
  registryConfig: z.string().optional(),
  chartHooks: z.boolean().default(false),
  chartKind: kinds,
  chartClusterKind: kinds,
} as const;

/** Adds the chart flags. Without any of them, charts are rejected. */
export function withCharts(
  command: Command<[]>,
  env: Readonly<Record<string, string | undefined>>,
): Command<[]> {
  return command
    .option("--charts <folder>", "folder of Helm charts that workloads may use", env["MPC_CHARTS"])
    .option("--chart-registry <oci://…/…>", "registry of allowed charts; repeatable", texts)
    .option("--registry-config <path>", "helm's credentials for registries")
    .option("--helm <path>", "the helm program", env["MPC_HELM"] ?? NO_CHARTS.helm)
    .option("--chart-hooks", "apply a chart's hooks as ordinary objects instead of rejecting them")
    .option("--chart-kind <group/version/kind>", "additional kind for charts; repeatable", texts)
    .option("--chart-cluster-kind <group/version/kind>", "the same, cluster-scoped", texts);
}

const texts = (
  text: string,
  before: readonly string[] = [],
): readonly string[] => [...before, text];

/** The chart settings of parsed flags. */
export function chartsOf(flags: z.output<z.ZodObject<typeof CHART_FLAGS>>): ChartSettings {
  return {
    helm: flags.helm,
    chartsFolder: flags.charts ?? null,
    repositories: flags.chartRegistry,
    registryConfig: flags.registryConfig ?? null,
    allowHooks: flags.chartHooks,
    allowedKinds: flags.chartKind,
    allowedClusterKinds: flags.chartClusterKind,
  };
}

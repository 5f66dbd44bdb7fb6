import type { Command } from "@commander-js/extra-typings";
import { z } from "zod";

/** How workloads that are Helm charts are rendered, and which. */
export interface ChartSettings {
  /** Path of the helm program, or its name on the path. */
  readonly helm: string;
  /** Folder with the charts that workloads may name. */
  readonly chartsFolder: string | null;
  /** What a chart in a registry must begin with. */
  readonly repositories: readonly string[];
  /** Helm's file of credentials for registries. */
  readonly registryConfig: string | null;
  readonly allowHooks: boolean;
  /** `{apiVersion}/{Kind}` besides what charts may make anyway. */
  readonly allowedKinds: readonly string[];
  /** The same of kinds that stand in no namespace. */
  readonly allowedClusterKinds: readonly string[];
}

/** Charts are refused. */
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

/** The flags about charts, for {@linkcode withCharts}. */
export const CHART_FLAGS = {
  helm: z.string().min(1, "must not be empty"),
  charts: z.string().min(1, "must not be empty").optional(),
  chartRegistry: z.array(
    z.string().regex(/^oci:\/\/[^/]+\//, "must be oci://HOST/ with what charts there begin with"),
  ).default([]),
  registryConfig: z.string().optional(),
  chartHooks: z.boolean().default(false),
  chartKind: kinds,
  chartClusterKind: kinds,
} as const;

/** Adds the flags about charts; without any they are refused. */
export function withCharts(
  command: Command<[]>,
  env: Readonly<Record<string, string | undefined>>,
): Command<[]> {
  return command
    .option("--charts <folder>", "with the Helm charts that workloads may be", env["MPC_CHARTS"])
    .option("--chart-registry <oci://…/…>", "whose charts they may be too; repeatable", texts)
    .option("--registry-config <path>", "helm's credentials for registries")
    .option("--helm <path>", "the helm program", env["MPC_HELM"] ?? NO_CHARTS.helm)
    .option("--chart-hooks", "take a chart's hooks for plain objects in place of refusing them")
    .option("--chart-kind <group/version/kind>", "what charts may make too; repeatable", texts)
    .option("--chart-cluster-kind <group/version/kind>", "the same, in no namespace", texts);
}

const texts = (
  text: string,
  before: readonly string[] = [],
): readonly string[] => [...before, text];

/** What flags say of charts. */
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

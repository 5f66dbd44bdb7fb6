import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { DEFAULT_CLUSTER, idProblem, MpcError } from "@mpc/domain";
import { parse } from "yaml";
import { z } from "zod";

/** A Kubernetes cluster by its name, and how to reach it. */
export interface ClusterSettings {
  readonly name: string;
  /** Path; null for the service account of the pod that the process runs in. */
  readonly kubeconfig: string | null;
  /** Null for the kubeconfig's current context. */
  readonly context: string | null;
  /** The maximum rate of requests to its API server. */
  readonly requestsPerSecond: number;
}

const REQUESTS_PER_SECOND = 100;

/** The cluster flags, for {@linkcode withClusters}. */
export const CLUSTER_FLAGS = {
  kubeconfig: z.string().optional(),
  context: z.string().optional(),
  clustersFile: z.string().optional(),
} as const;

const FILE = z.strictObject({
  clusters: z.array(
    z.strictObject({
      name: z.string().refine((name) => name === DEFAULT_CLUSTER || !idProblem(name), {
        error: "must be 'default', or a name like that of an environment",
      }),
      kubeconfig: z.string().min(1).optional(),
      inCluster: z.literal(true).optional(),
      context: z.string().min(1).optional(),
      requestsPerSecond: z.number().min(1).max(10_000).default(REQUESTS_PER_SECOND),
    }).refine(
      ({ kubeconfig, inCluster }) => (kubeconfig === undefined) !== (inCluster === undefined),
      { error: "must have exactly one of kubeconfig and inCluster" },
    ),
  ).min(1).refine(
    (clusters) => new Set(clusters.map(({ name }) => name)).size === clusters.length,
    { error: "must have different names" },
  ),
});

/** Adds the cluster flags. Without any of them, the cluster is simulated. */
export function withClusters(
  command: Command<[]>,
  env: Readonly<Record<string, string | undefined>>,
): Command<[]> {
  return command
    .option(
      "--kubeconfig <path>",
      "a Kubernetes cluster in place of a simulated one",
      env["MPC_KUBECONFIG"],
    )
    .option("--context <name>", "the kubeconfig's context; the current one by default")
    .option(
      "--clusters-file <path>",
      "file with several clusters by name",
      env["MPC_CLUSTERS_FILE"],
    );
}

/**
 * The clusters that the flags configure; none for a simulated cluster.
 * @throws {MpcError} INVALID_ARGUMENT `USAGE` for conflicting flags, `CLUSTERS_FILE_INVALID`
 */
export function clustersOf(
  flags: z.output<z.ZodObject<typeof CLUSTER_FLAGS>>,
): readonly ClusterSettings[] {
  const { kubeconfig, context = null, clustersFile } = flags;
  if (clustersFile !== undefined) {
    if (kubeconfig === undefined && context === null) return readClustersFile(clustersFile);
    throw usage("--clusters-file", "--kubeconfig and --context");
  }
  if (kubeconfig === undefined) {
    if (context === null) return [];
    throw new MpcError("INVALID_ARGUMENT", {
      reason: "USAGE",
      message: "--context needs --kubeconfig; see --help",
    });
  }
  const requestsPerSecond = REQUESTS_PER_SECOND;
  return [{ name: DEFAULT_CLUSTER, kubeconfig, context, requestsPerSecond }];
}

/** For people: the names, or that the cluster is simulated. */
export function clusterNames(clusters: readonly ClusterSettings[]): string {
  return clusters.map(({ name }) => name).join(", ") || "simulated";
}

function readClustersFile(path: string): readonly ClusterSettings[] {
  let content: unknown;
  try {
    content = parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw invalidFile(path, error instanceof Error ? error.message : String(error), error);
  }
  const checked = FILE.safeParse(content);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw invalidFile(path, `'${issue?.path.join(".")}' ${issue?.message}`);
  }
  return checked.data.clusters.map(({ name, kubeconfig, context = null, requestsPerSecond }) => ({
    name,
    context,
    requestsPerSecond,
    kubeconfig: kubeconfig === undefined ? null : resolve(dirname(path), kubeconfig),
  }));
}

function invalidFile(path: string, why: string, cause?: unknown): MpcError {
  return new MpcError("INVALID_ARGUMENT", {
    reason: "CLUSTERS_FILE_INVALID",
    message: `Cannot read clusters from '${path}': ${why}`,
    cause,
  });
}

function usage(one: string, other: string): MpcError {
  return new MpcError("INVALID_ARGUMENT", {
    reason: "USAGE",
    message: `${one} says everything that ${other} say, give one of them; see --help`,
  });
}

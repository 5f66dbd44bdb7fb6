import { readFileSync } from "node:fs";
import { MpcError } from "@mpc/domain";
import { parse } from "yaml";
import type { ClusterSettings } from "./clusters.ts";
import type { ProviderSettings } from "./provider_flags.ts";

/** What a process is started by, and a command for the same that may run programs and use any network. */
export interface TaskNames {
  readonly task: string;
  readonly permitted: string;
}

/**
 * Rejects settings that need what the process is not permitted, before it admits work that would
 * fail because of them: helm for charts, the program that a kubeconfig gets its credentials by, and
 * the network of a cluster.
 * @throws {MpcError} FAILED_PRECONDITION `HELM_MISSING`, `CLUSTER_NOT_PERMITTED`
 */
export async function assertPermitted(
  { clusters, charts }: ProviderSettings,
  { task, permitted }: TaskNames,
): Promise<void> {
  const instead = `start '${permitted}' with the same flags instead`;
  const usesCharts = charts.chartsFolder !== null || charts.repositories.length > 0;
  if (usesCharts && !await mayRun(charts.helm)) {
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "HELM_MISSING",
      message:
        `Cannot render charts: '${task}' is not permitted to run '${charts.helm}', or there is none; ${instead}`,
    });
  }
  for (const cluster of clusters) {
    const { program, host } = needsOf(cluster);
    const problem = program !== undefined && !await mayRun(program)
      ? `run '${program}', by which the kubeconfig gets its credentials`
      : host !== undefined && !await mayReach(host)
      ? `reach '${host}'`
      : undefined;
    if (problem === undefined) continue;
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "CLUSTER_NOT_PERMITTED",
      message: `Cannot use cluster '${cluster.name}': '${task}' is not permitted to ${problem}; ` +
        instead,
      metadata: { cluster: cluster.name },
    });
  }
}

const mayRun = async (command: string): Promise<boolean> =>
  (await Deno.permissions.query({ name: "run", command })).state === "granted";

const mayReach = async (host: string): Promise<boolean> =>
  (await Deno.permissions.query({ name: "net", host })).state === "granted";

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly Named<"context", { cluster?: string; user?: string }>[];
  readonly clusters?: readonly Named<"cluster", { server?: string }>[];
  readonly users?: readonly Named<"user", {
    exec?: { command?: string };
    "auth-provider"?: { config?: { "cmd-path"?: string } };
  }>[];
}

type Named<Key extends string, Value> = { readonly name?: string } & Readonly<Record<Key, Value>>;

/** What a kubeconfig needs; nothing if it cannot be read, which its first use reports. */
function needsOf(
  { kubeconfig, context }: ClusterSettings,
): { readonly program?: string | undefined; readonly host?: string | undefined } {
  if (kubeconfig === null) return {};
  const config = readKubeconfig(kubeconfig);
  const wanted = context ?? config["current-context"];
  const chosen = config.contexts?.find(({ name }) => name === wanted)?.context;
  const user = config.users?.find(({ name }) => name === chosen?.user)?.user;
  const server = config.clusters?.find(({ name }) => name === chosen?.cluster)?.cluster?.server;
  return {
    program: user?.exec?.command ?? user?.["auth-provider"]?.config?.["cmd-path"],
    host: server !== undefined && URL.canParse(server) ? new URL(server).host : undefined,
  };
}

function readKubeconfig(path: string): Kubeconfig {
  try {
    const parsed: unknown = parse(readFileSync(path, "utf8"));
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

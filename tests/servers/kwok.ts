import { join } from "node:path";
import { freePort } from "@mpc/process";
import { goTool } from "./go_tool.ts";
import type { KubeApiServer } from "./kube_api_server.ts";
import { kubectlOf } from "./kubectl.ts";
import { startServer } from "./server_process.ts";

/** Nodes that exist only in the API, and pods on them that only seem to run. */
export interface Kwok {
  stop(): Promise<void>;
}

const STAGES = new URL("./kwok_stages.yaml", import.meta.url).pathname;

/** The log of every container, in the format of kubelets. */
const LOG = [
  "2026-01-01T00:00:00.000000000Z stdout F starting",
  "2026-01-01T00:00:01.000000000Z stdout F cannot reach the database",
  "",
].join("\n");

/** Adds this many nodes to an API server, and waits until they are ready. */
export async function startKwok(server: KubeApiServer, nodes: number): Promise<Kwok> {
  const { folder, kubeconfig } = server;
  const port = freePort();
  const log = join(folder, "container.log");
  await Deno.writeTextFile(log, LOG);
  const config = join(folder, "kwok.yaml");
  const logs = {
    apiVersion: "kwok.x-k8s.io/v1alpha1",
    kind: "ClusterLogs",
    metadata: { name: "logs" },
    spec: { logs: [{ logsFile: log, previousLogsFile: log }] },
  };
  const stages = await Deno.readTextFile(STAGES);
  await Deno.writeTextFile(config, `${stages}---\n${JSON.stringify(logs)}\n`);
  const process = startServer({
    name: "kwok",
    folder,
    path: await goTool("kwok"),
    args: [
      ...["--kubeconfig", kubeconfig, "--config", config, "--manage-all-nodes"],
      // It answers in place of the kubelets of all nodes.
      ...["--node-ip", "127.0.0.1", "--node-port", String(port)],
      ...["--server-address", `127.0.0.1:${port}`],
      ...["--tls-cert-file", join(folder, "server.crt")],
      ...["--tls-private-key-file", join(folder, "server.key")],
    ],
  });
  try {
    const kubectl = await kubectlOf(kubeconfig);
    const names = Array.from({ length: nodes }, (_, index) => `node-${index}`);
    await kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify(nodeList(names)));
    await kubectl(["wait", "node", "--all", "--for=condition=Ready", "--timeout=60s"]);
  } catch (error) {
    await process.stop();
    throw new Error(`Cannot start nodes: ${await process.log()}`, { cause: error });
  }
  return { stop: () => process.stop() };
}

function nodeList(names: readonly string[]) {
  const size = { cpu: "32", memory: "256Gi", pods: "1000" };
  return {
    apiVersion: "v1",
    kind: "List",
    items: names.map((name) => ({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" } },
      status: { allocatable: size, capacity: size },
    })),
  };
}

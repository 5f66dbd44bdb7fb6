import { join } from "node:path";
import { freePort } from "@mpc/process";
import { goTool } from "./go_tool.ts";
import type { KubeApiServer } from "./kube_api_server.ts";
import { startServer } from "./server_process.ts";

/** Creates pods for Deployments, schedules them to nodes, and empties namespaces. */
export interface KubeControllers {
  stop(): Promise<void>;
}

/** Starts controller-manager and scheduler for an API server; they wait for it if it is down. */
export async function startKubeControllers(server: KubeApiServer): Promise<KubeControllers> {
  const { folder, kubeconfig } = server;
  const [manager, scheduler] = [freePort(), freePort()];
  const common = (port: number) => [
    ...["--kubeconfig", kubeconfig, "--leader-elect=false"],
    ...["--bind-address", "127.0.0.1", "--secure-port", String(port)],
    // Tests create hundreds of environments at once.
    ...["--kube-api-qps", "1000", "--kube-api-burst", "2000"],
  ];
  const processes = [
    startServer({
      name: "kube-controller-manager",
      folder,
      path: await goTool("kube-controller-manager"),
      args: [
        ...common(manager),
        ...["--service-account-private-key-file", join(folder, "service-accounts.key")],
        ...["--root-ca-file", join(folder, "ca.crt")],
        ...["--concurrent-namespace-syncs", "50", "--concurrent-deployment-syncs", "20"],
        ...["--concurrent-replicaset-syncs", "20"],
        // Simulated nodes report late on a busy machine, and their pods do not recover from that.
        ...["--node-monitor-grace-period", "10m"],
      ],
    }),
    startServer({
      name: "kube-scheduler",
      folder,
      path: await goTool("kube-scheduler"),
      args: common(scheduler),
    }),
  ];
  return {
    async stop() {
      for (const process of processes) await process.stop();
    },
  };
}

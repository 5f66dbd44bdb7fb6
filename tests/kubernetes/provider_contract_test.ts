import { providerContract } from "../contract/provider_contract.ts";
import { openKubernetesHarness } from "../contract/kubernetes_harness.ts";
import type { KubeApiServer } from "../servers/kube_api_server.ts";
import { startKwokCluster } from "../servers/kwok_cluster.ts";

let folder: string;
let cluster: KubeApiServer;

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "mpc-contract-" });
  cluster = await startKwokCluster(folder, 2);
});

Deno.test.afterAll(async () => {
  await cluster?.stop();
  await Deno.remove(folder, { recursive: true });
});

providerContract(
  "kubernetes, on a control plane with simulated nodes",
  { misbehavingImages: ["missing", "crash", "unschedulable", "stuck"] },
  () => openKubernetesHarness(cluster.kubeconfig),
);

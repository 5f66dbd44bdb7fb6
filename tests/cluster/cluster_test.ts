/** The platform on a real cluster, which is started once for all scenarios. */
import { openKubernetesHarness } from "../contract/kubernetes_harness.ts";
import { providerContract } from "../contract/provider_contract.ts";
import { type OpenWorld, openWorld } from "../e2e/mpctl_world.ts";
import { type KindCluster, startKindCluster } from "../servers/kind_cluster.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import type { Scenarios } from "./cluster_world.ts";
import { DEPLOYMENTS } from "./deployments.ts";
import { DISRUPTIONS } from "./disruptions.ts";
import { FAILED_DEPLOYMENTS } from "./failures.ts";
import { ISOLATION } from "./isolation.ts";
import { NODE } from "./node.ts";

let folder: string;
let cluster: KindCluster;
let kubectl: Kubectl;
let world: OpenWorld;

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "mpc-kind-" });
  cluster = await startKindCluster(folder);
  kubectl = await kubectlOf(cluster.kubeconfig);
  world = await openWorld({ platformArgs: ["--kubeconfig", cluster.kubeconfig] });
});

Deno.test.afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await cluster?.stop();
  await Deno.remove(folder, { recursive: true });
});

function register(scenarios: Scenarios): void {
  for (const [title, run] of Object.entries(scenarios)) {
    Deno.test({
      name: title,
      // The platform's output is read in the background.
      sanitizeOps: false,
      fn: () => run({ mpctl: world.mpctl, kubectl, cluster }),
    });
  }
}

register(NODE);
providerContract(
  "kubernetes, on a real cluster",
  { misbehavingImages: ["missing", "crash", "unschedulable", "stuck"] },
  () => openKubernetesHarness(cluster.kubeconfig),
);
register(DEPLOYMENTS);
register(ISOLATION);
register(FAILED_DEPLOYMENTS);
register(DISRUPTIONS);

/** The control plane with simulated nodes (kwok) that these suites rely on. */
import assert from "node:assert/strict";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import type { KubeApiServer } from "../servers/kube_api_server.ts";
import { startKwokCluster } from "../servers/kwok_cluster.ts";

let folder: string;
let cluster: KubeApiServer;
let kubectl: Kubectl;

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "mpc-kwok-" });
  cluster = await startKwokCluster(folder, 2);
  kubectl = await kubectlOf(cluster.kubeconfig);
});

Deno.test.afterAll(async () => {
  await cluster?.stop();
  await Deno.remove(folder, { recursive: true });
});

async function deploy(name: string, tag: string): Promise<void> {
  await kubectl(["create", "deployment", name, "--image", `example.com/web:${tag}`]);
}

Deno.test("a pod is ready at once", async () => {
  await deploy("ready", "1");
  await kubectl(["rollout", "status", "deployment/ready", "--timeout=20s"]);
});

for (
  const [tag, path, state] of [
    ["missing", "state.waiting.reason", "ErrImagePull"],
    ["crash", "state.waiting.reason", "CrashLoopBackOff"],
    ["hungry", "lastState.terminated.reason", "OOMKilled"],
    ["stuck", "ready", "false"],
  ] as const
) {
  Deno.test(`a pod of an image that is ':${tag}' is never ready, and says '${state}'`, async () => {
    await deploy(tag, tag);
    const field = `jsonpath={.status.containerStatuses[0].${path}}=${state}`;
    await kubectl(["wait", "pod", "-l", `app=${tag}`, "--for=create", "--timeout=20s"]);
    await kubectl(["wait", "pod", "-l", `app=${tag}`, `--for=${field}`, "--timeout=20s"]);
  });
}

Deno.test("the logs of a container can be read, also after it has terminated", async () => {
  await deploy("talking", "crash");
  await kubectl(["wait", "pod", "-l", "app=talking", "--for=create", "--timeout=20s"]);
  const started = "--for=jsonpath={.status.containerStatuses[0].restartCount}=1";
  await kubectl(["wait", "pod", "-l", "app=talking", started, "--timeout=20s"]);
  const printed = await kubectl(["logs", "deployment/talking", "--previous", "--tail=1"]);
  assert.equal(printed, "cannot reach the database\n");
});

Deno.test("a user may do exactly what RBAC allows", async () => {
  await kubectl(["create", "clusterrole", "reader", "--verb=list", "--resource=namespaces"]);
  await kubectl(["create", "clusterrolebinding", "ann", "--clusterrole=reader", "--user=ann"]);
  const ann = await kubectlOf(await cluster.kubeconfigOf({ name: "ann" }));
  assert.match(await ann(["get", "namespaces", "-o", "name"]), /^namespace\/default$/m);
  await assert.rejects(ann(["get", "pods"]), /User "ann" cannot list resource "pods"/);
});

Deno.test("an expired certificate is rejected", async () => {
  const notAfter = new Date(Date.now() - 60_000);
  const late = await kubectlOf(await cluster.kubeconfigOf({ name: "late", notAfter }));
  await assert.rejects(late(["get", "namespaces"]), /Unauthorized/);
});

Deno.test({
  name: "the API server starts again at its address, with all its objects",
  // The suite owns the process and replaces it.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await kubectl(["create", "namespace", "kept"]);
    await cluster.interrupt();
    await assert.rejects(kubectl(["get", "namespace", "kept"]), /was refused/);
    await cluster.resume();
    await kubectl(["get", "namespace", "kept"]);
  },
});

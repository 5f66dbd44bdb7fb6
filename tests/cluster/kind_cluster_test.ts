/** What the suites here rely on: a real cluster, and images that fare as their names say. */
import assert from "node:assert/strict";
import { type KindCluster, startKindCluster } from "../servers/kind_cluster.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";

let folder: string;
let cluster: KindCluster;
let kubectl: Kubectl;

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "mpc-kind-" });
  cluster = await startKindCluster(folder);
  kubectl = await kubectlOf(cluster.kubeconfig);
});

Deno.test.afterAll(async () => {
  await cluster?.stop();
  await Deno.remove(folder, { recursive: true });
});

async function deploy(name: string, image: string): Promise<void> {
  const labels = { app: name };
  const container = { name, image, resources: { limits: { memory: "32Mi" } } };
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
  await kubectl(["apply", "-f", "-"], JSON.stringify(deployment));
  await kubectl(["wait", "pod", "-l", `app=${name}`, "--for=create", "--timeout=20s"]);
}

Deno.test("a service answers under its name, for pods that run as nobody", async () => {
  await deploy("web", "nginx:1.27");
  await kubectl(["expose", "deployment", "web", "--port=80", "--target-port=8080"]);
  await kubectl(["rollout", "status", "deployment/web", "--timeout=60s"]);
  const fetch = ["wget", "-q", "-O", "-", "http://web.default.svc.cluster.local"];
  assert.equal(await kubectl(["exec", "deployment/web", "--", "busybox", ...fetch]), "hello\n");
  assert.equal(await kubectl(["exec", "deployment/web", "--", "busybox", "id", "-u"]), "65532\n");
  assert.match(await kubectl(["logs", "deployment/web"]), /^starting$/m);
});

for (
  const [tag, path, state] of [
    ["crash", "lastState.terminated.exitCode", "7"],
    ["hungry", "lastState.terminated.reason", "OOMKilled"],
    ["missing", "state.waiting.reason", "ImagePullBackOff"],
  ] as const
) {
  Deno.test(`a pod of an image that is ':${tag}' ends with ${state}`, async () => {
    await deploy(tag, `localhost/nginx:${tag}`);
    const field = `jsonpath={.status.containerStatuses[0].${path}}=${state}`;
    await kubectl(["wait", "pod", "-l", `app=${tag}`, `--for=${field}`, "--timeout=60s"]);
  });
}

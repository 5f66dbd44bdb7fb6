/** What the suites here rely on: a real cluster, and images that fare as their names say. */
import assert from "node:assert/strict";
import { type KindCluster, startKindCluster } from "../servers/kind_cluster.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import { type TestImage, testImage } from "../servers/test_images.ts";

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
  await deploy("web", testImage("web:1"));
  await kubectl(["expose", "deployment", "web", "--port=80", "--target-port=8080"]);
  await kubectl(["rollout", "status", "deployment/web", "--timeout=60s"]);
  const fetch = ["wget", "-q", "-O", "-", "http://web.default.svc.cluster.local"];
  assert.equal(await kubectl(["exec", "deployment/web", "--", "busybox", ...fetch]), "hello\n");
  assert.equal(await kubectl(["exec", "deployment/web", "--", "busybox", "id", "-u"]), "65532\n");
  assert.match(await kubectl(["logs", "deployment/web"]), /^listening on 8080$/m);
});

for (
  const [image, path, state] of [
    ["crash:1", "lastState.terminated.exitCode", "7"],
    ["hungry:1", "lastState.terminated.reason", "OOMKilled"],
  ] as const satisfies readonly (readonly [TestImage, string, string])[]
) {
  Deno.test(`a pod of '${image}' ends with ${state}`, async () => {
    const [name] = image.split(":");
    await deploy(`${name}`, testImage(image));
    const field = `jsonpath={.status.containerStatuses[0].${path}}=${state}`;
    await kubectl(["wait", "pod", "-l", `app=${name}`, `--for=${field}`, "--timeout=60s"]);
  });
}

Deno.test("an image that is not there cannot be pulled", async () => {
  await deploy("missing", "localhost/mpc-test/missing:1");
  const field = "jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff";
  await kubectl(["wait", "pod", "-l", "app=missing", `--for=${field}`, "--timeout=60s"]);
});

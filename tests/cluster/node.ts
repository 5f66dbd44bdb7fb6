import assert from "node:assert/strict";
import type { Kubectl } from "../servers/kubectl.ts";
import type { ClusterWorld, Scenarios } from "./cluster_world.ts";

async function deploy(kubectl: Kubectl, name: string, image: string): Promise<void> {
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

/** The state of a pod by the tag of its image. */
const ENDINGS = [
  ["crash", "lastState.terminated.exitCode", "7"],
  ["hungry", "lastState.terminated.reason", "OOMKilled"],
  ["missing", "state.waiting.reason", "ImagePullBackOff"],
] as const;

/** Prerequisites of the other scenarios: a working cluster, and images that behave as tagged. */
export const NODE: Scenarios = {
  "a service answers under its name, for pods that run as nobody": async ({ kubectl }) => {
    await deploy(kubectl, "web", "nginx:1.27");
    await kubectl(["expose", "deployment", "web", "--port=80", "--target-port=8080"]);
    await kubectl(["rollout", "status", "deployment/web", "--timeout=60s"]);
    const fetch = ["wget", "-q", "-O", "-", "http://web.default.svc.cluster.local"];
    assert.equal(await kubectl(["exec", "deployment/web", "--", "busybox", ...fetch]), "hello\n");
    assert.equal(await kubectl(["exec", "deployment/web", "--", "busybox", "id", "-u"]), "65532\n");
    assert.match(await kubectl(["logs", "deployment/web"]), /^starting$/m);
  },
  ...Object.fromEntries(ENDINGS.map(([tag, path, state]) => [
    `a pod of an image that is ':${tag}' ends with ${state}`,
    async ({ kubectl }: ClusterWorld) => {
      await deploy(kubectl, tag, `localhost/nginx:${tag}`);
      const field = `jsonpath={.status.containerStatuses[0].${path}}=${state}`;
      await kubectl(["wait", "pod", "-l", `app=${tag}`, `--for=${field}`, "--timeout=60s"]);
      await kubectl(["delete", "deployment", tag]);
    },
  ])),
};

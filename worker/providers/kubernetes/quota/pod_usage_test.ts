import assert from "node:assert/strict";
import fc from "fast-check";
import { arbitraryPod } from "../../../../tests/fakes/kubernetes/arbitrary_pod.ts";
import type { LiveObject } from "../client/kube_object.ts";
import { amountOf, type CountedPod, podProblem, podUsage, withDefaults } from "./pod_usage.ts";

/**
 * The most that the containers of a pod request at one moment of its life, step by step: one init
 * container after the other, each together with the sidecars that have started, then all the rest.
 */
function mostAtOnce({ containers, initContainers = [] }: CountedPod, resource: string): number {
  const requests = ({ resources = {} }: CountedPod["containers"][number]) =>
    amountOf(resource, resources.requests?.[resource] ?? resources.limits?.[resource] ?? "0");
  const moments: number[] = [];
  let sidecars = 0;
  for (const container of initContainers) {
    moments.push(sidecars + requests(container));
    if (container.restartPolicy === "Always") sidecars += requests(container);
  }
  moments.push(containers.reduce((sum, container) => sum + requests(container), sidecars));
  return Math.max(...moments);
}

Deno.test("podUsage() is the most that the containers request at one moment of the pod's life", () => {
  fc.assert(fc.property(arbitraryPod(), (pod) => {
    const used = podUsage(pod);
    for (const resource of ["cpu", "memory"]) {
      assert.equal(used[`requests.${resource}`] ?? 0, mostAtOnce(pod, resource));
      assert.equal(used[resource], used[`requests.${resource}`]);
    }
    assert.equal(used["pods"], 1);
  }));
});

Deno.test("podUsage() adds the overhead, and prefers the amounts of the pod itself", () => {
  const container = { name: "web", resources: { requests: { cpu: "1", memory: "1Gi" } } };
  const pod = { containers: [container], overhead: { cpu: "50m" } };
  assert.equal(podUsage(pod)["requests.cpu"], 1_050);
  const whole = { ...pod, resources: { requests: { cpu: "200m" } } };
  assert.equal(podUsage(whole)["requests.cpu"], 250);
  assert.equal(podUsage(whole)["requests.memory"], 1024 ** 3);
});

const RANGE: LiveObject = {
  apiVersion: "v1",
  kind: "LimitRange",
  metadata: { name: "limits" },
  spec: {
    limits: [
      { type: "Pod", max: { cpu: "4" } },
      {
        type: "Container",
        default: { memory: "512Mi" },
        defaultRequest: { cpu: "100m", memory: "128Mi" },
      },
    ],
  },
};

Deno.test("withDefaults() gives containers what a LimitRange says and they do not", () => {
  const pod = {
    containers: [{ name: "web" }, { name: "log", resources: { limits: { memory: "64Mi" } } }],
    initContainers: [{ name: "init", resources: { requests: { cpu: "2" } } }],
  };
  const used = podUsage(withDefaults(pod, [RANGE]));
  assert.equal(used["requests.cpu"], 2_000, "the init container's");
  assert.equal(used["requests.memory"], (128 + 64) * 1024 ** 2, "a limit is also the request");
  assert.equal(used["limits.memory"], (512 + 64) * 1024 ** 2);
  assert.equal(podUsage(withDefaults(pod, []))["requests.memory"], 64 * 1024 ** 2);
});

Deno.test("podProblem() names containers that no quota or limit admits", () => {
  const greedy = { containers: [{ name: "web", resources: { requests: { memory: "1Gi" } } }] };
  assert.match(
    podProblem(withDefaults(greedy, [RANGE]), []) ?? "",
    /^container 'web' requests 1Gi of memory, which is more than its limit 512Mi$/,
  );
  const silent = { containers: [{ name: "web" }] };
  assert.match(podProblem(silent, ["requests.cpu"]) ?? "", /'web' must specify requests\.cpu$/);
  assert.equal(podProblem(withDefaults(silent, [RANGE]), ["requests.cpu", "pods"]), undefined);
});

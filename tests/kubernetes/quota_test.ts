/** Quotas: what a plan promises, the API server admits, and what a plan rejects, it rejects. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { isMpcError } from "@mpc/domain";
import { systemClock } from "@mpc/process";
import type { WorkloadIntent } from "@mpc/services";
import { HttpKubeClient } from "../../worker/providers/kubernetes/mod.ts";
import { SharedLists } from "../../worker/providers/kubernetes/client/shared_lists.ts";
import { fitQuota } from "../../worker/providers/kubernetes/quota/fit_quota.ts";
import {
  amountOf,
  plus,
  podUsage,
  type Usage,
  withDefaults,
} from "../../worker/providers/kubernetes/quota/pod_usage.ts";
import {
  type KubernetesObject,
  renderWorkload,
} from "../../worker/providers/kubernetes/render/mod.ts";
import { arbitraryPod } from "../fakes/kubernetes/arbitrary_pod.ts";
import type { Kubectl } from "../servers/kubectl.ts";
import { live, providerSuite, type ProviderWorld, web } from "./provider_world.ts";

const test = providerSuite();

interface Quota {
  readonly cpu?: string;
  readonly memory?: string;
}

async function limited(
  { provider }: Pick<ProviderWorld, "provider">,
  environment: string,
  { cpu = null, memory = null }: { readonly cpu?: string | null; readonly memory?: string | null },
): Promise<void> {
  const quota = { workloads: null, cpu, memory };
  const intent = { environment, uid: `uid-${environment}`, cluster: "test", labels: {}, quota };
  await provider.applyNamespace(intent, live());
  await provider.applyPolicies(intent, live());
}

interface Pods {
  readonly replicas: number;
  readonly cpu?: string;
  readonly memory?: string;
}

function pods(environment: string, { replicas, cpu, memory }: Pods, revision = 1): WorkloadIntent {
  const resources = { cpu: cpu ?? null, memory: memory ?? null };
  return web(environment, { replicas, resources, image: `example.com/web:${revision}` }, {
    revision,
  });
}

/** Replaces what the platform has applied. */
const APPLY = ["apply", "--server-side", "--force-conflicts", "--field-manager=mpc"];

const strategyOf = async (kubectl: Kubectl, environment: string) => {
  const path = "jsonpath={.spec.strategy.type}/{.spec.strategy.rollingUpdate.maxSurge}";
  return await kubectl(["get", "deployment", "web", "-n", environment, "-o", path]);
};

const PROMISED: readonly (readonly [string, Quota, Pods, Pods, string])[] = [
  ["a surge that fits", { cpu: "600m" }, { replicas: 2, cpu: "200m" }, {
    replicas: 2,
    cpu: "200m",
  }, "RollingUpdate/25%"],
  ["a workload above half its quota", { cpu: "1" }, { replicas: 1, cpu: "700m" }, {
    replicas: 1,
    cpu: "800m",
  }, "RollingUpdate/0"],
  ["a full quota of five pods", { memory: "500Mi" }, { replicas: 5, memory: "100Mi" }, {
    replicas: 5,
    memory: "100Mi",
  }, "RollingUpdate/0"],
  ["pods that say nothing, and the room of the defaults", { cpu: "200m" }, { replicas: 2 }, {
    replicas: 2,
  }, "RollingUpdate/0"],
  ["more and larger pods", { cpu: "1" }, { replicas: 2, cpu: "300m" }, {
    replicas: 3,
    cpu: "330m",
  }, "RollingUpdate/0"],
];

for (const [index, [title, quota, before, after, strategy]] of PROMISED.entries()) {
  test(`an update fits: ${title}`, async (world) => {
    const { provider, kubectl } = world;
    const environment = `fits-${index}`;
    await limited(world, environment, quota);
    const first = pods(environment, before);
    await provider.applyWorkload(first, live());
    await provider.awaitRollout(first, live());
    const second = pods(environment, after, 2);
    await provider.applyWorkload(second, { ...live(), dryRun: true });
    await provider.applyWorkload(second, live());
    const { ready } = await provider.awaitRollout(second, live());
    assert.equal(ready, after.replicas);
    assert.equal(await strategyOf(kubectl, environment), strategy);
    assert.deepEqual(await provider.drift(second, live()), [], "the strategy is no drift");
    if (strategy !== "RollingUpdate/25%") {
      // Had it been a surge, the server would have rejected it.
      const third = pods(environment, after, 3);
      const [surging] = renderWorkload(third).filter(({ kind }) => kind === "Deployment");
      await kubectl([...APPLY, "-f", "-"], JSON.stringify(surging));
      await assertRejected(kubectl, environment);
    }
  });
}

test("a quota that was lowered below what runs: all old pods go first", async (world) => {
  const { provider, kubectl } = world;
  await limited(world, "lowered", { cpu: "1" });
  const first = pods("lowered", { replicas: 4, cpu: "250m" });
  await provider.applyWorkload(first, live());
  await provider.awaitRollout(first, live());
  await limited(world, "lowered", { cpu: "400m" });
  const second = pods("lowered", { replicas: 4, cpu: "100m" }, 2);
  await provider.applyWorkload(second, live());
  assert.equal((await provider.awaitRollout(second, live())).ready, 4);
  assert.equal(await strategyOf(kubectl, "lowered"), "Recreate/");
  await limited(world, "lowered", { cpu: "4" });
  const third = pods("lowered", { replicas: 4, cpu: "100m" }, 3);
  await provider.applyWorkload(third, live());
  await provider.awaitRollout(third, live());
  assert.equal(await strategyOf(kubectl, "lowered"), "RollingUpdate/25%");
});

test("what runs beside the workload counts, failed pods of others and their Jobs too", async (world) => {
  const { provider, kubectl } = world;
  await limited(world, "shared", { cpu: "1" });
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "theirs", namespace: "shared" },
    spec: {
      parallelism: 2,
      template: {
        spec: { restartPolicy: "Never", containers: [container("250m", "example.com/web:crash")] },
      },
    },
  };
  await kubectl(["apply", "-f", "-"], JSON.stringify(job));
  await kubectl(["wait", "-n", "shared", "job/theirs", "--for=jsonpath={.status.active}=2"]);
  const fitting = pods("shared", { replicas: 5, cpu: "100m" });
  const greedy = pods("shared", { replicas: 6, cpu: "100m" });
  await provider.applyWorkload(fitting, { ...live(), dryRun: true });
  const error = await rejection(provider.applyWorkload(greedy, { ...live(), dryRun: true }));
  assert.match(
    error,
    /quota 'quota' forbids it: requested: requests\.cpu=600m, used: requests\.cpu=500m, limited: requests\.cpu=1;/,
  );
  await provider.applyWorkload(fitting, live());
  assert.equal((await provider.awaitRollout(fitting, live())).ready, 5);
});

const REFUSED: readonly (readonly [string, Quota, Pods | undefined, Pods])[] = [
  ["a first deployment that is too large", { cpu: "500m" }, undefined, {
    replicas: 2,
    cpu: "300m",
  }],
  ["one pod more of the same", { memory: "300Mi" }, { replicas: 3, memory: "100Mi" }, {
    replicas: 4,
    memory: "100Mi",
  }],
  ["pods that say nothing", { memory: "200Mi" }, undefined, { replicas: 2 }],
  ["larger pods", { cpu: "1" }, { replicas: 2, cpu: "400m" }, { replicas: 2, cpu: "501m" }],
];

for (const [index, [title, quota, before, after]] of REFUSED.entries()) {
  test(`a plan rejects what the server rejects: ${title}`, async (world) => {
    const { provider, kubectl } = world;
    const environment = `refused-${index}`;
    await limited(world, environment, quota);
    if (before) {
      const first = pods(environment, before);
      await provider.applyWorkload(first, live());
      await provider.awaitRollout(first, live());
    }
    const wanted = pods(environment, after, 2);
    const dryRun = { ...live(), dryRun: true };
    assert.match(await rejection(provider.applyWorkload(wanted, dryRun)), /quota 'quota' forbids/);
    assert.match(await rejection(provider.applyWorkload(wanted, live())), /quota 'quota' forbids/);
    const [deployment] = renderWorkload(wanted).filter(({ kind }) => kind === "Deployment");
    const spec = { ...deployment!["spec"] as object, strategy: { type: "Recreate" } };
    const manifest = JSON.stringify({ ...deployment, spec });
    await kubectl([...APPLY, "-f", "-"], manifest);
    await assertRejected(kubectl, environment);
  });
}

test("controllers of charts are counted with init containers, sidecars and Jobs", async (world) => {
  const { kubectl, server } = world;
  const access = { cluster: "test", kubeconfig: server.kubeconfig, context: null };
  const client = new HttpKubeClient({ access, clock: systemClock });
  try {
    await limited(world, "chart", { cpu: "2" });
    const initContainers = [
      { ...container("200m"), name: "sidecar", restartPolicy: "Always" },
      { ...container("700m"), name: "migrate" },
    ];
    const spec = { containers: [container("300m")], initContainers };
    const labels = { app: "db" };
    // Each pod: max(200 + 700, 200 + 300) = 900m.
    const set = (replicas: number): KubernetesObject => ({
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "db", namespace: "chart", labels: {} },
      spec: {
        replicas,
        serviceName: "db",
        selector: { matchLabels: labels },
        podManagementPolicy: "Parallel",
        template: { metadata: { labels }, spec },
      },
    });
    const job = (parallelism: number): KubernetesObject => ({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "load", namespace: "chart", labels: {} },
      spec: {
        parallelism,
        template: { spec: { restartPolicy: "Never", containers: [container("100m")] } },
      },
    });
    const fits = (...objects: readonly KubernetesObject[]) =>
      fitQuota({ client, lists: new SharedLists(client) }, {
        uid: "uid",
        installation: "test",
        namespace: "chart",
        prune: [],
        objects,
      }, live());
    await fits(set(2), job(2));
    await rejection(fits(set(3)));
    await rejection(fits(set(2), job(3)));
    for (const object of [set(2), job(2)]) {
      await kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify(object));
    }
    const used = ["get", "quota", "quota", "-n", "chart", "-o"];
    await kubectl([
      ...["wait", "quota/quota", "-n", "chart", "--timeout=20s"],
      "--for=jsonpath={.status.used.requests\\.cpu}=2",
    ]);
    assert.equal(await kubectl([...used, "jsonpath={.status.hard.requests\\.cpu}"]), "2");
  } finally {
    await client.close();
  }
});

test("each pod uses as much of a quota as the API server counts", async ({ kubectl }) => {
  await kubectl(["create", "namespace", "counted"]);
  const hard = Object.fromEntries(
    ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "cpu", "memory", "pods"].map(
      (resource) => [resource, "1000000"],
    ).map(([resource = "", amount]) => [resource, /memory/.test(resource) ? "100Gi" : amount]),
  );
  const objects = [
    { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "all" }, spec: { hard } },
    {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: { name: "defaults" },
      spec: {
        limits: [{
          type: "Container",
          defaultRequest: { cpu: "30m", memory: "16Mi" },
          default: { cpu: "2", memory: "600Mi" },
        }],
      },
    },
  ];
  for (const object of objects) {
    await kubectl(["apply", "-n", "counted", "-f", "-"], JSON.stringify(object));
  }
  const get = async (...what: readonly string[]) =>
    JSON.parse(await kubectl(["get", "-n", "counted", ...what, "-o", "json"]));
  await kubectl(["wait", "-n", "counted", "quota/all", "--for=jsonpath={.status.used.pods}=0"]);
  await kubectl([
    ...["wait", "-n", "counted", "serviceaccount/default", "--for=create", "--timeout=20s"],
  ]);
  const limitRange = await get("limitrange", "defaults");
  let total: Usage = {};
  for (const [index, pod] of fc.sample(arbitraryPod(), { numRuns: 25, seed: 13 }).entries()) {
    const metadata = { name: `pod-${index}`, namespace: "counted" };
    const object = { apiVersion: "v1", kind: "Pod", metadata, spec: pod };
    await kubectl(["apply", "-f", "-"], JSON.stringify(object));
    total = plus(total, podUsage(withDefaults(pod, [limitRange])));
    const { status: { used } } = await get("quota", "all");
    for (const [resource, quantity] of Object.entries<string>(used)) {
      assert.equal(
        total[resource],
        amountOf(resource, quantity),
        `${resource} after ${JSON.stringify(pod)}`,
      );
    }
  }
});

/** A container that meets the "restricted" Pod Security Standard. */
const container = (cpu: string, image = "example.com/web:1") => ({
  name: "main",
  image,
  resources: { requests: { cpu } },
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    runAsNonRoot: true,
    seccompProfile: { type: "RuntimeDefault" },
  },
});

async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isMpcError(error, "RESOURCE_EXHAUSTED")) return error.message;
    throw error;
  }
  return assert.fail("it was not rejected");
}

/** Waits until the cluster has rejected a pod of the Deployment by its quota. */
async function assertRejected(kubectl: Kubectl, environment: string): Promise<void> {
  const condition = "--for=condition=ReplicaFailure";
  // As it was when the condition was met: it goes and comes while old pods make room.
  const message = 'jsonpath={.status.conditions[?(@.type=="ReplicaFailure")].message}';
  const told = await kubectl(
    ["wait", "deployment/web", "-n", environment, condition, "--timeout=20s", "-o", message],
  );
  assert.match(told, /exceeded quota: quota/);
}

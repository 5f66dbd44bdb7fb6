import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import type { RolloutProgress, WorkloadIntent } from "@mpc/services";
import { settle } from "../../../../tests/fakes/fake_clock.ts";
import {
  type FakeClusterWorld,
  live,
  workload,
  worldTest,
} from "../../../../tests/fakes/kubernetes/fake_cluster_world.ts";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";
import { CONFIG_MAP, EVENT, PERSISTENT_VOLUME_CLAIM, POD } from "../client/kinds.ts";
import { type LiveObject, refOf } from "../client/kube_object.ts";

const stuck = (): WorkloadIntent => {
  const intent = workload("web", 1);
  return { ...intent, spec: { ...intent.spec, image: "nginx:stuck", env: { KEY: "hunter22" } } };
};

interface Emitted {
  readonly reason: string;
  readonly message: string;
  readonly type?: "Normal" | "Warning";
  readonly count?: number;
}

let events = 0;

/** Writes an event about an object, like the cluster's components. */
function emit(
  { cluster, clock }: FakeClusterWorld,
  { apiVersion, kind, metadata: { name, namespace = "", uid = "" } }: LiveObject,
  { reason, message, type = "Warning", count = 1 }: Emitted,
): void {
  const time = new Date(clock.now()).toISOString();
  cluster.client.server.update({
    ...EVENT,
    metadata: { name: `event-${++events}`, namespace },
    involvedObject: { apiVersion, kind, name, namespace, uid },
    ...{ reason, message, type, count, firstTimestamp: time, lastTimestamp: time },
  }, "kubelet");
}

/** Begins a rollout that does not end by itself, and collects its progress. */
async function begin(world: FakeClusterWorld, intent = stuck()) {
  const seen: RolloutProgress[] = [];
  await world.deploy(intent);
  const rollout = world.provider.awaitRollout(intent, {
    ...live(),
    onProgress: (progress) => seen.push(progress),
  });
  rollout.catch(() => {});
  await world.clock.advance(1_000);
  const [pod] = world.cluster.client.server.list(POD);
  assert.ok(pod, "the rollout has a pod");
  return { seen, rollout, pod };
}

const PROBE = "Readiness probe failed: HTTP probe failed with statuscode: 503, hunter22";

worldTest(
  "what a failing probe was answered is in the progress within seconds, without secrets",
  async (world) => {
    const { seen, pod } = await begin(world);
    emit(world, pod, { reason: "Unhealthy", message: PROBE });
    emit(world, pod, { reason: "Pulled", message: "Pulled the image", type: "Normal" });
    await world.clock.advance(6_000);
    const { message = "", advice } = seen.at(-1) ?? {};
    assert.match(
      message,
      /^0 of 1 replica ready; pod 'web-\S+': Unhealthy: .*statuscode: 503, \(redacted\)$/,
    );
    assert.equal(advice?.responsible, "caller");
    assert.equal(advice?.command, "mpctl workload logs web --env dev");
  },
);

worldTest(
  "a warning about another object, or another pod of this name, explains nothing",
  async (world) => {
    const { seen, pod } = await begin(world);
    const { name, namespace } = pod.metadata;
    emit(world, { ...pod, metadata: { name, namespace: namespace!, uid: "an-earlier-pod" } }, {
      reason: "Unhealthy",
      message: PROBE,
    });
    await world.clock.advance(20_000);
    assert.deepEqual(seen.map(({ message }) => message), ["0 of 1 replica ready"]);
  },
);

const MISSING = {
  reason: "FailedMount",
  message: 'MountVolume.SetUp failed for volume "config" : configmap "settings" not found',
};

worldTest(
  "a volume of a ConfigMap that does not exist fails the rollout after the grace period",
  async (world) => {
    const { seen, rollout, pod } = await begin(world);
    emit(world, pod, MISSING);
    await world.clock.advance(6_000);
    assert.match(seen.at(-1)?.message ?? "", /FailedMount: .*"settings" not found/);
    assert.equal(
      seen.at(-1)?.advice?.command,
      "kubectl create configmap settings --namespace dev --from-literal=KEY=VALUE",
    );
    const failed = rejectsWith(rollout, "FAILED_PRECONDITION", "CONTAINER_NOT_STARTED");
    await world.clock.advance(30_000);
    const error = await failed;
    assert.match(
      error.message,
      /FailedMount: .*'kubectl create configmap settings --namespace dev/,
    );
    assert.equal(error.retryable, false);
  },
);

worldTest("a ConfigMap that is created meanwhile does not fail the rollout", async (world) => {
  const { rollout, pod } = await begin(world);
  const { server } = world.cluster.client;
  emit(world, pod, MISSING);
  await world.clock.advance(3_000);
  server.update({ ...CONFIG_MAP, metadata: { name: "settings", namespace: "dev" } }, "kubectl");
  await world.clock.advance(40_000);
  server.update(
    {
      ...server.get(refOf(pod))!,
      status: {
        phase: "Running",
        conditions: [{ type: "Ready", status: "True" }],
        containerStatuses: [{ name: "web", ready: true, restartCount: 0, state: { running: {} } }],
      },
    },
    "kubelet",
    "status",
  );
  const [deployment] = server.list({ apiVersion: "apps/v1", kind: "Deployment" });
  server.update(
    {
      ...deployment!,
      status: {
        observedGeneration: deployment!.metadata.generation,
        ...{ replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
      },
    },
    "kube-controller-manager",
    "status",
  );
  await settle();
  assert.equal((await rollout).ready, 1);
});

/** A pod that waits for its claim, as the scheduler reports it. */
function waitForClaim({ cluster, clock }: FakeClusterWorld, pod: LiveObject): LiveObject {
  const spec = { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "web.data" } }] };
  const conditions = [{
    ...{ type: "PodScheduled", status: "False", reason: "Unschedulable" },
    message: "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
    lastTransitionTime: new Date(clock.now()).toISOString(),
  }];
  cluster.client.server.update({ ...pod, spec, status: { phase: "Pending", conditions } }, "s");
  const claim = { name: "web.data", namespace: "dev" };
  return { ...PERSISTENT_VOLUME_CLAIM, metadata: claim };
}

worldTest(
  "a claim that is slowly provisioned is waited for, and the progress names it",
  async (world) => {
    const { seen, rollout, pod } = await begin(world);
    let ended = false;
    rollout.catch(() => ended = true);
    const claim = waitForClaim(world, pod);
    await world.clock.advance(60_000);
    assert.match(seen.at(-1)?.message ?? "", /Unschedulable: .* unbound immediate/);
    emit(world, claim, { reason: "ProvisioningFailed", message: "the disks' API is overloaded" });
    await world.clock.advance(60_000);
    assert.match(seen.at(-1)?.message ?? "", /claim 'web\.data': ProvisioningFailed: the disks/);
    assert.equal(ended, false);
  },
);

for (
  const never of [
    {
      reason: "ProvisioningFailed",
      message: 'storageclass.storage.k8s.io "fast" not found',
    },
    {
      reason: "FailedBinding",
      message: "no persistent volumes available for this claim and no storage class is set",
      type: "Normal" as const,
    },
  ]
) {
  worldTest(
    `a claim that can never be bound (${never.reason}) fails the rollout early`,
    async (world) => {
      const { rollout, pod } = await begin(world);
      emit(world, waitForClaim(world, pod), never);
      const failed = rejectsWith(rollout, "FAILED_PRECONDITION", "VOLUME_NOT_BOUND");
      await world.clock.advance(30_000);
      assert.match(
        (await failed).message,
        /claim 'web\.data': (storageclass|no persistent volumes)/,
      );
    },
  );
}

worldTest("a rollout goes on without events if they cannot be read", async (world) => {
  const denied = new MpcError("PERMISSION_DENIED", {
    reason: "CLUSTER_FORBIDS",
    message: "Cannot list events",
  });
  let asked = 0;
  const { fault } = world.cluster.client;
  world.cluster.client.fault = (verb, subject) => {
    if (subject.kind !== "Event") return fault(verb, subject);
    asked++;
    return denied;
  };
  const { seen, rollout } = await begin(world);
  let ended = false;
  rollout.catch(() => ended = true);
  await world.clock.advance(20_000);
  assert.ok(asked > 1, "it asks again");
  assert.deepEqual(seen.map(({ message }) => message), ["0 of 1 replica ready"]);
  assert.equal(ended, false);
});

/** Counts lists of events. */
function countEventLists({ cluster: { client } }: FakeClusterWorld): () => number {
  let lists = 0;
  const { fault } = client;
  client.fault = (verb, subject) => {
    if (verb === "list" && subject.kind === "Event") lists++;
    return fault(verb, subject);
  };
  return () => lists;
}

worldTest("a rollout whose pods are not scheduled yet reads no events", async (world) => {
  const lists = countEventLists(world);
  const intent = workload("web", 1);
  const spec = { ...intent.spec, image: "nginx:unschedulable" };
  const { seen } = await begin(world, { ...intent, spec });
  await world.clock.advance(20_000);
  assert.match(seen.at(-1)?.message ?? "", /Unschedulable/);
  assert.equal(lists(), 0);
});

worldTest("a fast rollout reads no events", async (world) => {
  const intent = workload("web", 1);
  await world.deploy(intent);
  const lists = countEventLists(world);
  const rollout = world.rollout(intent);
  await world.clock.advance(1_500);
  await rollout;
  assert.equal(lists(), 0);
});

worldTest(
  "a paused deployment fails the rollout at once, with the command that resumes it",
  async (world) => {
    const intent = workload("web", 1);
    await world.deploy(intent);
    const first = world.rollout(intent);
    await world.clock.advance(10_000);
    await first;
    const { server } = world.cluster.client;
    const [deployment] = server.list({ apiVersion: "apps/v1", kind: "Deployment" });
    const changed = { ...intent, revision: 2, spec: { ...intent.spec, image: "nginx:stuck" } };
    server.update(
      { ...deployment!, spec: { ...deployment!["spec"] as object, paused: true } },
      "kubectl-rollout",
    );
    await world.deploy(changed);
    const failed = rejectsWith(world.rollout(changed), "FAILED_PRECONDITION", "ROLLOUT_PAUSED");
    await world.clock.advance(5_000);
    assert.match(
      (await failed).message,
      /'kubectl rollout resume deployment web --namespace dev'/,
    );
  },
);

import assert from "node:assert/strict";
import { aSpec } from "../../../../tests/fakes/documents.ts";
import { settle } from "../../../../tests/fakes/fake_clock.ts";
import type { RolloutStatus } from "@mpc/services";
import {
  type FakeClusterWorld,
  live,
  workload,
  worldTest,
} from "../../../../tests/fakes/kubernetes/fake_cluster_world.ts";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";
import { JOB, POD } from "../client/kinds.ts";
import { SharedLists } from "../client/shared_lists.ts";
import { MANAGED_BY, MANAGER, REVISION, UID } from "../render/mod.ts";
import { ClusterWatch } from "../watch/cluster_watch.ts";
import { awaitRollout } from "./await_rollout.ts";

const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment", namespace: "dev" };

worldTest(
  "a deployment replaces crashing pods, and does not count them as its own",
  async (world) => {
    const intent = workload("web");
    await world.deploy(intent);
    const first = world.rollout(intent);
    await world.clock.advance(60_000);
    await first;
    const { server } = world.cluster.client;
    for (const pod of server.list(POD)) {
      const state = { waiting: { reason: "CrashLoopBackOff" } };
      const status = { containerStatuses: [{ name: "web", ready: false, restartCount: 3, state }] };
      server.update({ ...pod, status }, "kubelet", "status");
    }
    const mended = { ...intent, revision: 2, spec: { ...intent.spec, image: "nginx:2" } };
    await world.deploy(mended);
    const rollout = world.rollout(mended);
    await world.clock.advance(60_000);
    assert.equal((await rollout).revision, 2);
  },
);

worldTest(
  "a restarted program must run for a while before the rollout completes",
  async (world) => {
    const { server } = world.cluster.client;
    const intent = workload("web");
    await world.deploy(intent);
    await world.clock.advance(60_000);
    const restarted = (startedAt: number) => {
      for (const pod of server.list(POD)) {
        const state = { running: { startedAt: new Date(startedAt).toISOString() } };
        const status = {
          ...pod["status"] as object,
          containerStatuses: [{ name: "web", ready: true, restartCount: 1, state }],
        };
        server.update({ ...pod, status }, "kubelet", "status");
      }
    };
    restarted(world.clock.now());
    let done = false;
    const rollout = world.rollout(intent).then((status) => {
      done = true;
      return status;
    });
    await world.clock.advance(9_000);
    assert.ok(!done, "it may end again, although the deployment counts it as ready");
    await world.clock.advance(2_000);
    assert.equal((await rollout).ready, 2);
    const ahead = world.clock.now() + 3_600_000;
    restarted(ahead);
    assert.equal(
      (await world.rollout(intent)).ready,
      2,
      "a node's clock that is ahead does not delay a rollout",
    );
  },
);

worldTest(
  "a deletion during a rollout is noticed, also after an outage of the watch",
  async (world) => {
    for (const down of [false, true]) {
      const intent = workload(down ? "b" : "a", 50);
      await world.deploy(intent);
      const gone = rejectsWith(world.rollout(intent), "NOT_FOUND", "NOT_ON_CLUSTER");
      await world.clock.advance(1_000);
      if (down) world.stopServer();
      world.cluster.client.server.remove({ ...DEPLOYMENT, name: intent.workload });
      if (down) world.cluster.client.server.compact();
      world.startServer();
      await world.clock.advance(30_000);
      await gone;
    }
  },
);

worldTest("a rollout without a running controller fails at its deadline", async (world) => {
  const intent = workload("web", 5);
  await world.deploy(intent);
  await settle();
  world.cluster.stopControllers();
  const rollout = rejectsWith(
    world.rollout(intent),
    "FAILED_PRECONDITION",
    "PROGRESS_DEADLINE_EXCEEDED",
  );
  await world.clock.advance(700_000);
  assert.match((await rollout).message, /is its controller running/);
});

worldTest("a chart without controllers is complete when it is applied", async (world) => {
  const intent = workload("web");
  const chart = { name: "settings", version: "1.0.0", values: {} };
  const settings = { ...intent, spec: aSpec({ image: "", chart }) };
  await rejectsWith(world.rollout(settings), "NOT_FOUND", "NOT_ON_CLUSTER");
  const labels = { "app.kubernetes.io/managed-by": "mpc", "mpc/uid": intent.uid };
  world.cluster.client.server.update({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "web", namespace: "dev", labels },
  }, "mpc");
  assert.equal((await world.rollout(settings)).message, "there is nothing to roll out");
});

/** A world with a chart's Job that deletes itself when it has ended. */
async function withJob(
  { cluster, clock }: FakeClusterWorld,
  use: (job: {
    /** Waits for the rollout, on watches of its own. */
    readonly rollout: () => Promise<RolloutStatus>;
    /** The Job ends, and is deleted before anybody has seen that. */
    readonly end: (condition: "Complete" | "Failed") => void;
    readonly remove: () => void;
  }) => Promise<void>,
): Promise<void> {
  const { client } = cluster;
  const { server } = client;
  const watch = new ClusterWatch(client, clock);
  const chart = { name: "migration", version: "1.0.0", values: {} };
  const intent = { ...workload("job"), spec: aSpec({ image: "", chart }) };
  const labels = { [MANAGED_BY]: MANAGER, [UID]: intent.uid };
  const annotations = { [REVISION]: "1" };
  const spec = { ttlSecondsAfterFinished: 0, template: { spec: { containers: [] } } };
  const metadata = { name: "migrate", namespace: "dev", labels, annotations };
  server.update({ ...JOB, metadata, spec }, "mpc");
  const ref = { ...JOB, namespace: "dev", name: "migrate" };
  const remove = () => server.remove(ref);
  const of = { client, watch, clock, lists: new SharedLists(client) };
  try {
    await use({
      rollout: () => awaitRollout(of, intent, live(), () => Promise.resolve(true)),
      remove,
      end(type) {
        const status = { conditions: [{ type, status: "True", reason: type, message: type }] };
        server.update({ ...server.get(ref)!, status }, "job-controller", "status");
        remove();
      },
    });
  } finally {
    await watch.close();
  }
}

worldTest(
  "a Job that deletes itself when it has ended is judged by how it ended",
  (world) =>
    withJob(world, async ({ rollout, end }) => {
      const complete = rollout();
      await settle();
      end("Complete");
      await world.clock.advance(1_000);
      assert.equal((await complete).message, "1 of 1 job complete");
      assert.equal((await rollout()).message, "there is nothing to roll out", "it was gone before");
    }),
);

worldTest(
  "a Job that deletes itself when it has failed fails the rollout",
  (world) =>
    withJob(world, async ({ rollout, end }) => {
      const failed = rejectsWith(rollout(), "FAILED_PRECONDITION", "JOB_FAILED");
      await settle();
      end("Failed");
      await world.clock.advance(1_000);
      await failed;
    }),
);

worldTest(
  "a Job that somebody deletes before it has ended is missing",
  (world) =>
    withJob(world, async ({ rollout, remove }) => {
      const gone = rejectsWith(rollout(), "NOT_FOUND", "NOT_ON_CLUSTER");
      await settle();
      remove();
      await world.clock.advance(1_000);
      await gone;
    }),
);

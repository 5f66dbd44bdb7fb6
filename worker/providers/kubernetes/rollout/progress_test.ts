import assert from "node:assert/strict";
import type { LiveObject } from "../client/kube_object.ts";
import { progressOf } from "./progress.ts";

const controller = (kind: string, replicas: number, status: object): LiveObject => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name: "web", generation: 2, annotations: { "mpc/revision": "7" } },
  spec: { replicas },
  status: { observedGeneration: 2, ...status },
});

const updatedBy = (kind: string, strategy: object, status: object): LiveObject => {
  const object = controller(kind, 3, status);
  return { ...object, spec: { replicas: 3, updateStrategy: strategy } };
};

const progress = (object: LiveObject, pods: readonly LiveObject[] = []) =>
  progressOf({ controllers: [object], replicaSets: [], pods });

const all = { replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 2 };

const job = (conditions: readonly object[], spec: object = {}): LiveObject => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "migrate", generation: 1 },
  spec,
  status: { conditions },
});

Deno.test("a rollout is complete when its Jobs are complete too", async (t) => {
  const web = controller("Deployment", 2, all);
  const complete = job([{ type: "Complete", status: "True" }]);
  for (
    const [title, controllers, message, isComplete] of [
      ["a Job that runs", [web, job([])], "2 of 2 replicas ready, 0 of 1 job complete", false],
      ["a Job that is done", [web, complete], "2 of 2 replicas ready, 1 of 1 job complete", true],
      ["one of two", [complete, job([])], "1 of 2 jobs complete", false],
      ["a Job alone", [complete], "1 of 1 job complete", true],
      ["a Job that nobody lets run", [job([], { suspend: true })], "1 of 1 job complete", true],
    ] as const
  ) {
    await t.step(title, () => {
      const { status, complete } = progressOf({ controllers, replicaSets: [], pods: [] });
      assert.deepEqual([status.message, complete], [message, isComplete]);
      assert.equal(status.desired, controllers[0] === web ? 2 : 0, "Jobs are no replicas");
    });
  }
});

const CASES: readonly (readonly [string, LiveObject, string, boolean])[] = [
  ["all are ready", controller("Deployment", 2, all), "2 of 2 replicas ready", true],
  ["zero replicas are desired", controller("Deployment", 0, {}), "0 of 0 replicas ready", true],
  [
    "the controller has not observed the spec yet",
    controller("Deployment", 2, { ...all, observedGeneration: 1 }),
    "0 of 2 replicas ready",
    false,
  ],
  [
    "an old pod still runs",
    controller("Deployment", 2, { ...all, replicas: 3, availableReplicas: 3 }),
    "2 of 2 replicas ready",
    false,
  ],
  [
    "one pod is updated, and old pods still serve",
    controller("Deployment", 2, { ...all, replicas: 3, updatedReplicas: 1 }),
    "0 of 2 replicas ready",
    false,
  ],
  [
    "a StatefulSet is ready",
    controller("StatefulSet", 1, { replicas: 1, updatedReplicas: 1, readyReplicas: 1 }),
    "1 of 1 replica ready",
    true,
  ],
  [
    "a StatefulSet updates the pods that its partition allows",
    updatedBy("StatefulSet", { rollingUpdate: { partition: 2 } }, {
      replicas: 3,
      updatedReplicas: 1,
      readyReplicas: 3,
    }),
    "3 of 3 replicas ready",
    true,
  ],
  [
    "a StatefulSet still has to update pods above its partition",
    updatedBy("StatefulSet", { rollingUpdate: { partition: 1 } }, {
      replicas: 3,
      updatedReplicas: 1,
      readyReplicas: 3,
    }),
    "2 of 3 replicas ready",
    false,
  ],
  [
    "a StatefulSet with the strategy OnDelete",
    updatedBy("StatefulSet", { type: "OnDelete" }, {
      replicas: 3,
      updatedReplicas: 0,
      readyReplicas: 3,
    }),
    "3 of 3 replicas ready",
    true,
  ],
  [
    "a DaemonSet with the strategy OnDelete",
    updatedBy("DaemonSet", { type: "OnDelete" }, {
      desiredNumberScheduled: 3,
      updatedNumberScheduled: 0,
      numberAvailable: 3,
    }),
    "3 of 3 replicas ready",
    true,
  ],
  [
    "a DaemonSet waits for a node",
    controller("DaemonSet", 0, {
      desiredNumberScheduled: 3,
      updatedNumberScheduled: 3,
      numberAvailable: 2,
    }),
    "2 of 3 replicas ready",
    false,
  ],
];

Deno.test("progress follows the rules of 'kubectl rollout status'", async (t) => {
  for (const [name, object, message, complete] of CASES) {
    await t.step(`${name}: ${message}`, () => {
      const result = progress(object);
      assert.deepEqual([result.status.message, result.complete], [message, complete]);
      assert.equal(result.status.revision, 7);
    });
  }
});

Deno.test("pods of a node that does not answer are named", () => {
  const pod: LiveObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web-1" },
    status: {
      conditions: [{ type: "Ready", status: "False" }],
      containerStatuses: [{ name: "web", ready: true, restartCount: 0 }],
    },
  };
  const { status } = progress(controller("Deployment", 2, { ...all, availableReplicas: 1 }), [pod]);
  assert.equal(
    status.message,
    "1 of 2 replicas ready; Unknown: the node of web-1 does not answer",
  );
});

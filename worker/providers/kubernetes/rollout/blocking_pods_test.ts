import assert from "node:assert/strict";
import type { LiveObject } from "../client/kube_object.ts";
import { blockingPods } from "./blocking_pods.ts";

const NOW = Date.UTC(2030, 0, 1);

function statefulSet(spec: object = {}, observedGeneration = 2): LiveObject {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", uid: "set", generation: 2 },
    spec,
    status: { observedGeneration, updateRevision: "db-good" },
  };
}

/** A pod that cannot pull its image, unless it is ready. */
function pod(ordinal: number, revision: string, more: { ready?: boolean; gone?: boolean } = {}) {
  const waiting = { reason: "ImagePullBackOff", message: "manifest unknown: not found" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `db-${ordinal}`,
      labels: { "controller-revision-hash": revision },
      ownerReferences: [{ controller: true, uid: "set" }],
      ...(more.gone && { deletionTimestamp: new Date(NOW).toISOString() }),
    },
    status: {
      conditions: [{ type: "Ready", status: more.ready ? "True" : "False" }],
      containerStatuses: more.ready ? [] : [{ name: "db", state: { waiting } }],
    },
  } as unknown as LiveObject;
}

/** A pod that runs and does not become ready. */
function waitingPod(ordinal: number, revision: string): LiveObject {
  return {
    ...pod(ordinal, revision),
    status: { conditions: [{ type: "Ready", status: "False" }] },
  };
}

function blocked(set: LiveObject, pods: readonly LiveObject[], restore: boolean) {
  const snapshot = { controllers: [set], replicaSets: [], pods };
  return blockingPods(snapshot, { restore, now: NOW }).map(({ metadata }) => metadata.name);
}

const PODS = [
  pod(0, "db-good", { ready: true }),
  pod(1, "db-old", { ready: true }),
  pod(2, "db-bad"),
  waitingPod(3, "db-bad"),
  pod(4, "db-good"),
  pod(5, "db-bad", { gone: true }),
];

for (
  const [title, set, restore, names] of [
    ["an undo: each unready pod of another revision", statefulSet(), true, ["db-2", "db-3"]],
    ["an update: only pods that will never be ready", statefulSet(), false, ["db-2"]],
    ["a set that has not observed its spec: none", statefulSet({}, 1), true, []],
    ["pods in parallel: none", statefulSet({ podManagementPolicy: "Parallel" }), true, []],
    [
      "pods that only their owner replaces: none",
      statefulSet({ updateStrategy: { type: "OnDelete" } }),
      true,
      [],
    ],
    [
      "a partition: the pods above it",
      statefulSet({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 3 } } }),
      true,
      ["db-3"],
    ],
  ] as const
) {
  Deno.test(`blockingPods() in ${title}`, () => {
    assert.deepEqual(blocked(set, PODS, restore), names);
  });
}

import assert from "node:assert/strict";
import type { LiveObject } from "../client/kube_object.ts";
import { detectFailure } from "./detect_failure.ts";
import { GRACE_MS, isFailure } from "./rollout_failure.ts";

const NOW = Date.UTC(2030, 0, 1);
const LONG_AGO = new Date(NOW - 60_000).toISOString();
const JUST_NOW = new Date(NOW - 1_000).toISOString();

const owner = (kind: string, name: string) => [
  { apiVersion: "apps/v1", kind, name, uid: `uid-${name}`, controller: true },
];

const REVISION = "deployment.kubernetes.io/revision";

function deployment(status: object = {}): LiveObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", uid: "uid-web", generation: 2, annotations: { [REVISION]: "2" } },
    status: { observedGeneration: 2, ...status },
  };
}

function replicaSet(name: string, revision: string, status: object = {}): LiveObject {
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name,
      uid: `uid-${name}`,
      generation: 1,
      annotations: { [REVISION]: revision },
      ownerReferences: owner("Deployment", "web"),
    },
    status: { observedGeneration: 1, ...status },
  };
}

function pod(status: object, set = "new", more: object = {}): LiveObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pod-of-${set}`, ownerReferences: owner("ReplicaSet", set), ...more },
    spec: { containers: [{ name: "web", resources: { limits: { memory: "64Mi" } } }] },
    status,
  };
}

const waiting = (reason: string, message: string, since = LONG_AGO, terminated?: object) => ({
  startTime: since,
  containerStatuses: [{
    name: "web",
    ready: false,
    restartCount: 1,
    state: { waiting: { reason, message } },
    ...(terminated && { lastState: { terminated } }),
  }],
});

const unschedulable = (since: string) => ({
  conditions: [{
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message: "0/3 nodes are available",
    lastTransitionTime: since,
  }],
});

const refused = (message: string, since = LONG_AGO) => ({
  conditions: [{
    type: "ReplicaFailure",
    status: "True",
    reason: "FailedCreate",
    message,
    lastTransitionTime: since,
  }],
});

const OVERDUE = {
  conditions: [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }],
};

function judge(pods: readonly LiveObject[], deploymentStatus = {}, setStatus = {}) {
  const snapshot = {
    controllers: [deployment(deploymentStatus)],
    replicaSets: [replicaSet("old", "1"), replicaSet("new", "2", setStatus)],
    pods,
  };
  return detectFailure(snapshot, NOW);
}

function reasonOf(...args: Parameters<typeof judge>): string | undefined {
  const verdict = judge(...args);
  return verdict && (isFailure(verdict) ? verdict.reason : "later");
}

const PODS: readonly (readonly [string, LiveObject, string | undefined])[] = [
  ["a missing image", pod(waiting("ErrImagePull", "not found")), "IMAGE_PULL_FAILED"],
  [
    "a registry that denies access",
    pod(waiting("ErrImagePull", "401 unauthorized", JUST_NOW)),
    "IMAGE_PULL_FAILED",
  ],
  [
    "a registry that fails for a moment",
    pod(waiting("ErrImagePull", "i/o timeout", JUST_NOW)),
    "later",
  ],
  [
    "a registry that keeps failing",
    pod(waiting("ImagePullBackOff", "i/o timeout")),
    "IMAGE_PULL_FAILED",
  ],
  [
    "a Secret that is missing for a moment",
    pod(waiting("CreateContainerConfigError", "no", JUST_NOW)),
    "later",
  ],
  [
    "a Secret that stays missing",
    pod(waiting("CreateContainerConfigError", "secret x not found")),
    "CONTAINER_NOT_STARTED",
  ],
  [
    "an image that would run as root",
    pod(waiting(
      "CreateContainerConfigError",
      'container has runAsNonRoot and image will run as root (pod: "web-1", container: web)',
      JUST_NOW,
    )),
    "CONTAINER_NOT_STARTED",
  ],
  ["a crash loop", pod(waiting("CrashLoopBackOff", "", LONG_AGO, { exitCode: 7 })), "CRASH_LOOP"],
  [
    "a container out of memory",
    pod(waiting("CrashLoopBackOff", "", LONG_AGO, { exitCode: 137, reason: "OOMKilled" })),
    "OOM_KILLED",
  ],
  ["no node for a moment", pod(unschedulable(JUST_NOW)), "later"],
  ["no node for a long time", pod(unschedulable(LONG_AGO)), "UNSCHEDULABLE"],
  ["a container that is being created", pod(waiting("ContainerCreating", "")), undefined],
  ["a crash of the previous revision", pod(waiting("CrashLoopBackOff", ""), "old"), undefined],
  [
    "a pod that is being deleted",
    pod(waiting("CrashLoopBackOff", ""), "new", { deletionTimestamp: LONG_AGO }),
    undefined,
  ],
];

Deno.test("a rollout fails as soon as a pod of the new revision cannot become ready", async (t) => {
  for (const [name, pod, reason] of PODS) {
    await t.step(`${name}: ${reason ?? "goes on"}`, () => assert.equal(reasonOf([pod]), reason));
  }
});

Deno.test("a rejection by a webhook or pod security fails the rollout at once", () => {
  for (
    const message of [
      'admission webhook "images.example.com" denied the request: no',
      'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot',
    ]
  ) {
    assert.equal(reasonOf([], {}, refused(message, JUST_NOW)), "REPLICA_REFUSED", message);
  }
});

Deno.test("any other rejection fails the rollout only after the grace period", () => {
  for (
    const message of [
      'pods "x" is forbidden: serviceaccount "workloads" not found',
      'pods "x" is forbidden: exceeded quota: quota, requested: cpu=1, used: cpu=1, limited: cpu=1',
    ]
  ) {
    assert.equal(reasonOf([], {}, refused(message, JUST_NOW)), "later");
    assert.equal(reasonOf([], {}, refused(message)), "REPLICA_REFUSED");
  }
});

Deno.test("the status of the previous generation does not count", () => {
  assert.equal(reasonOf([], OVERDUE), "PROGRESS_DEADLINE_EXCEEDED");
  assert.equal(reasonOf([], { ...OVERDUE, observedGeneration: 1 }), undefined);
  const stale = { ...refused("exceeded quota: q, requested: x"), observedGeneration: 0 };
  assert.equal(reasonOf([], {}, stale), undefined);
  // Until it has created a new ReplicaSet, the previous one is its newest.
  const crashing = pod(waiting("CrashLoopBackOff", ""));
  assert.equal(reasonOf([crashing]), "CRASH_LOOP");
  assert.equal(reasonOf([crashing], { observedGeneration: 1 }), undefined);
});

Deno.test("pods of a controller without ReplicaSets are matched by their revision", async (t) => {
  const generation = "deprecated.daemonset.template.generation";
  const [daemonSet, statefulSet] = [
    { annotations: { [generation]: "3" }, status: {}, label: "pod-template-generation" },
    { annotations: {}, status: { updateRevision: "3" }, label: "controller-revision-hash" },
  ];
  for (const [kind, of] of Object.entries({ DaemonSet: daemonSet, StatefulSet: statefulSet })) {
    await t.step(kind, () => {
      const { annotations, status, label } = of;
      const controller = { ...deployment(status), kind };
      const metadata = { ...controller.metadata, annotations };
      const crashing = (revision: string) =>
        pod(waiting("CrashLoopBackOff", ""), "web", { labels: { [label]: revision } });
      const judged = (revision: string) =>
        detectFailure({
          controllers: [{ ...controller, metadata }],
          replicaSets: [],
          pods: [crashing(revision)],
        }, NOW);
      assert.equal(judged("2"), undefined);
      assert.match(JSON.stringify(judged("3")), /CRASH_LOOP/);
    });
  }
});

const job = (conditions: readonly object[]): LiveObject => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "migrate", namespace: "dev", uid: "uid-migrate", generation: 1 },
  status: { conditions },
});

const jobPod = (name: string, status: object, creationTimestamp = LONG_AGO): LiveObject => ({
  ...pod(status),
  metadata: { name, creationTimestamp, ownerReferences: owner("Job", "migrate") },
});

const ended = (exitCode: number) => ({
  containerStatuses: [{ name: "migrate", ready: false, state: { terminated: { exitCode } } }],
});

Deno.test("a Job that failed fails the rollout, one that retries does not", () => {
  const judged = (conditions: readonly object[], pods: readonly LiveObject[]) =>
    detectFailure({ controllers: [job(conditions)], replicaSets: [], pods }, NOW);
  const limit = {
    type: "FailureTarget",
    status: "True",
    reason: "BackoffLimitExceeded",
    message: "Job has reached the specified backoff limit",
  };
  const pods = [jobPod("migrate-1", ended(1)), jobPod("migrate-2", ended(3), JUST_NOW)];
  assert.equal(judged([], pods), undefined, "it is tried again");
  const crashing = jobPod("migrate-3", waiting("CrashLoopBackOff", ""));
  assert.equal(judged([], [crashing]), undefined, "its backoff limit is not reached");
  assert.deepEqual(judged([limit], pods), {
    reason: "JOB_FAILED",
    podReason: "BackoffLimitExceeded",
    message: "Job has reached the specified backoff limit, the last time with exit code 3; to " +
      "run it again, deploy it under another name, or run 'kubectl delete job migrate --namespace " +
      "dev' and deploy again",
    subject: { kind: "job", name: "migrate" },
    pod: "migrate-2",
    container: "migrate",
    exitCode: 3,
  });
  const late = { ...limit, type: "Failed", reason: "DeadlineExceeded", message: "too long" };
  assert.match(JSON.stringify(judged([late], [])), /JOB_FAILED.*DeadlineExceeded.*too long; to/);
  const unpulled = jobPod("migrate-4", waiting("ErrImagePull", "not found"));
  assert.match(JSON.stringify(judged([], [unpulled])), /IMAGE_PULL_FAILED/);
  assert.equal(judged([{ type: "Complete", status: "True" }], [unpulled]), undefined);
});

Deno.test("at the deadline the pod's own reason is reported, also that it fits on no node", () => {
  const notReady = { conditions: [{ type: "Ready", status: "False", message: "probe failed" }] };
  const late = judge([pod(notReady)], OVERDUE);
  assert.ok(late && isFailure(late));
  assert.deepEqual([late.podReason, late.message, late.subject.kind], [
    "NotReady",
    "probe failed",
    "pod",
  ]);
  assert.equal(reasonOf([pod(unschedulable(JUST_NOW))], OVERDUE), "UNSCHEDULABLE");
});

Deno.test("of several times for the next check, the earliest counts", () => {
  const verdict = judge([
    pod(unschedulable(JUST_NOW)),
    pod(waiting("ErrImagePull", "i/o timeout", new Date(NOW - 5_000).toISOString())),
  ]);
  assert.deepEqual(verdict, { recheckAt: NOW - 5_000 + GRACE_MS });
});

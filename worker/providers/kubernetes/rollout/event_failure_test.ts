import assert from "node:assert/strict";
import type { ObjectEvent } from "../reads/cluster_events.ts";
import type { LiveObject } from "../client/kube_object.ts";
import { eventFailures } from "./event_failure.ts";
import { isFailure } from "./rollout_failure.ts";
import { waitingAdvice } from "./waiting_advice.ts";
import { waitingReason } from "./waiting_reason.ts";

const NOW = Date.UTC(2030, 0, 1);

/** A controller without pods; its status counts nothing. */
const controller = (kind: string, generation = 1): LiveObject => ({
  apiVersion: kind === "Job" ? "batch/v1" : "apps/v1",
  kind,
  metadata: { name: "store", namespace: "dev", uid: "uid-store", generation },
  spec: { replicas: 1 },
  status: { observedGeneration: generation, desiredNumberScheduled: 1 },
});

function refusal(kind: string, message: string, seconds: number): ObjectEvent {
  return {
    firstTime: NOW - seconds * 1_000,
    time: NOW,
    count: 3,
    warning: true,
    reason: "FailedCreate",
    object: `${kind}/dev/store`,
    message,
    kind: { apiVersion: "apps/v1", kind },
    name: "store",
    uid: "uid-store",
  };
}

const QUOTA =
  'create Pod store-0 in StatefulSet store failed error: pods "store-0" is forbidden: ' +
  "exceeded quota: quota, requested: requests.cpu=2, used: requests.cpu=3, limited: requests.cpu=4";

function judge(kind: string, event: ObjectEvent, { generation = 1, recent = true } = {}) {
  const snapshot = { controllers: [controller(kind, generation)], replicaSets: [], pods: [] };
  const warnings = { latest: [event], isRecent: () => recent, began: NOW - 120_000 };
  const verdict = eventFailures(snapshot, warnings, NOW).find(isFailure);
  return { failed: verdict?.reason, reason: waitingReason(snapshot, warnings) };
}

for (const kind of ["StatefulSet", "DaemonSet", "Job"]) {
  Deno.test(`pods of a ${kind} that a quota rejects are in the progress, and fail it after 45 s`, () => {
    const early = judge(kind, refusal(kind, QUOTA, 20));
    assert.equal(early.failed, undefined, "the pods that it replaces may still use the quota");
    assert.equal(early.reason?.subject, `${kind} 'store'`);
    assert.match(early.reason?.message ?? "", /exceeded quota: quota/);
    const advice = waitingAdvice({ environment: "dev", workload: "shop" }, early.reason!);
    assert.equal(advice.responsible, "caller");
    assert.match(advice.command, /^mpctl env update dev --max-cpu/);
    assert.equal(judge(kind, refusal(kind, QUOTA, 60)).failed, "REPLICA_REFUSED");
  });
}

Deno.test("a refusal of an earlier revision explains nothing, unless it happens again", () => {
  const again = { generation: 4 };
  const event = refusal("StatefulSet", QUOTA, 3_000);
  const old = judge("StatefulSet", event, { ...again, recent: false });
  assert.deepEqual([old.failed, old.reason], [undefined, undefined]);
  assert.equal(judge("StatefulSet", event, again).failed, "REPLICA_REFUSED");
});

Deno.test("a refusal that may pass is shown, but fails nothing before the deadline", () => {
  const webhook = 'failed calling webhook "guard.example.com": connection refused';
  const { failed, reason } = judge("Job", refusal("Job", webhook, 600));
  assert.equal(failed, undefined);
  assert.match(reason?.message ?? "", /guard\.example\.com/);
});

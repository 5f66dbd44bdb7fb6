import assert from "node:assert/strict";
import { MpcError, recordError } from "@mpc/domain";
import { aWorkloadIntent } from "../../../../tests/fakes/intents.ts";
import { FakeKubeClient } from "../../../../tests/fakes/kubernetes/fake_kube_client.ts";
import { rolloutError } from "./rollout_error.ts";
import type { RolloutFailure } from "./rollout_failure.ts";

const CRASH: RolloutFailure = {
  reason: "CRASH_LOOP",
  podReason: "CrashLoopBackOff",
  message: "back-off after exit code 7",
  subject: { kind: "pod", name: "web-1" },
  container: "web",
  exitCode: 7,
};

const intent = aWorkloadIntent({ image: "web:1", env: { PASSWORD: "hunter2" } });

function errorOf(failure: RolloutFailure, printed: readonly string[]) {
  const client = new FakeKubeClient();
  const metadata = { name: "web-1", namespace: intent.environment };
  client.server.update({ apiVersion: "v1", kind: "Pod", metadata }, "test");
  client.printed = () => printed.map((text, time) => ({ time, text }));
  return rolloutError(client, intent, failure, new AbortController().signal);
}

Deno.test("a crash is reported with its exit code and the last log lines", async () => {
  const error = await errorOf(CRASH, ["1", "2", "3", "4", "5", "no database"]);
  assert.deepEqual(error.metadata, {
    pod: "web-1",
    exitCode: "7",
    lastLog: "2\n3\n4\n5\nno database",
  });
  assert.equal(
    recordError(error).causes[0]?.message,
    "back-off after exit code 7; its last output: no database",
  );
});

Deno.test("values of variables are redacted in log lines", async () => {
  const error = await errorOf(CRASH, ["cannot log in with hunter2"]);
  assert.doesNotMatch(JSON.stringify(recordError(error)), /hunter2/);
  assert.equal(error.metadata["lastLog"], "cannot log in with (redacted)");
});

Deno.test("a crash without log lines is reported too", async () => {
  const error = await errorOf(CRASH, []);
  assert.equal(error.metadata["lastLog"], undefined);
  assert.match(error.message, /Cannot roll out 'web': pod 'web-1' is CrashLoopBackOff: back-off/);
});

Deno.test("a failed Job is reported with its pod, exit code and last log lines", async () => {
  const error = await errorOf({
    reason: "JOB_FAILED",
    podReason: "BackoffLimitExceeded",
    message: "Job has reached the specified backoff limit",
    subject: { kind: "job", name: "migrate" },
    pod: "web-1",
    container: "migrate",
    exitCode: 3,
  }, ["no such table"]);
  assert.deepEqual(error.metadata, {
    job: "migrate",
    pod: "web-1",
    exitCode: "3",
    lastLog: "no such table",
  });
  assert.match(error.message, /^Cannot roll out 'web': job 'migrate' is BackoffLimitExceeded: Job/);
  assert.match(recordError(error).causes[0]?.message ?? "", /its last output: no such table$/);
});

/** A reason, the message of the cluster, the log of the program, and the expected hint. */
const HELPED: readonly (readonly [RolloutFailure["reason"], string, string, RegExp | null])[] = [
  [
    "CONTAINER_NOT_STARTED",
    'container has runAsNonRoot and image will run as root (pod: "web-1", container: web)',
    "",
    /container: web\); no pod may run as root here: use an image whose USER is a number other than 0$/,
  ],
  [
    "CONTAINER_NOT_STARTED",
    "container has runAsNonRoot and image has non-numeric user (nginx), cannot verify user is non-root",
    "",
    /; no pod may run as root here, and 'nginx' may be: give the image's USER as its number$/,
  ],
  [
    "CONTAINER_NOT_STARTED",
    'secret "login" not found',
    "",
    /; make it by 'kubectl create secret generic login --namespace dev --from-literal=KEY=VALUE'$/,
  ],
  [
    "CONTAINER_NOT_STARTED",
    'configmap "settings" not found',
    "",
    /; make it by 'kubectl create configmap settings --namespace dev --from-literal=KEY=VALUE'$/,
  ],
  [
    "IMAGE_PULL_FAILED",
    "failed to authorize: 401 Unauthorized",
    "",
    /; if the image is private, .*: kubectl patch serviceaccount workloads --namespace dev /,
  ],
  ["IMAGE_PULL_FAILED", "web:1: not found", "", null],
  [
    "CRASH_LOOP",
    "back-off after exit code 1",
    'mkdir() "/var/cache/nginx" failed (30: Read-only file system)',
    /; its root filesystem cannot be written: mount a volume where it writes, .*:scratch'$/,
  ],
];

Deno.test("an error has a hint if the cluster's message does not say what to do", async (t) => {
  for (const [reason, message, printed, helps] of HELPED) {
    await t.step(message, async () => {
      const error = await errorOf({ ...CRASH, reason, message }, printed ? [printed] : []);
      if (helps) assert.match(error.message, helps);
      else assert.ok(error.message.endsWith(message));
    });
  }
});

Deno.test("the error of a pod that never becomes ready contains the cluster's last warning", async () => {
  const client = new FakeKubeClient();
  const warn = (pod: string, at: string, message: string, type = "Warning") =>
    client.server.update({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${pod}.${at}`, namespace: intent.environment },
      involvedObject: { kind: "Pod", namespace: intent.environment, name: pod },
      ...{ type, reason: "FailedMount", message, lastTimestamp: `2030-01-01T00:00:${at}Z` },
    }, "test");
  warn("web-1", "02", 'MountVolume.SetUp failed for volume "login" : secret "login" not found');
  warn("web-1", "01", "before");
  warn("web-1", "03", "no warning", "Normal");
  warn("web-2", "04", "of another pod");
  const late: RolloutFailure = {
    reason: "PROGRESS_DEADLINE_EXCEEDED",
    podReason: "NotReady",
    message: "containers with unready status: [web]",
    subject: { kind: "pod", name: "web-1" },
  };
  const error = await rolloutError(client, intent, late, new AbortController().signal);
  assert.equal(
    error.message,
    "Cannot roll out 'web': pod 'web-1' is NotReady: containers with unready status: [web]; the " +
      'cluster warned of FailedMount: MountVolume.SetUp failed for volume "login" : secret "login" ' +
      "not found; make it by 'kubectl create secret generic login --namespace dev " +
      "--from-literal=KEY=VALUE'",
  );
  client.fault = () =>
    new MpcError("PERMISSION_DENIED", { reason: "CLUSTER_FORBIDS", message: "" });
  const quiet = await rolloutError(client, intent, late, new AbortController().signal);
  assert.match(quiet.message, /unready status: \[web\]$/);
});

Deno.test("a rejected pod is reported with the reason and message of the rejection", async () => {
  const refusal = (message: string): RolloutFailure => ({
    reason: "REPLICA_REFUSED",
    podReason: "FailedCreate",
    message,
    subject: { kind: "controller", name: "web" },
  });
  const quota = await errorOf(
    refusal('pods "x" is forbidden: exceeded quota: quota, requested: requests.cpu=1, used: 1'),
    [],
  );
  assert.deepEqual([quota.code, quota.reason, quota.retryable], [
    "RESOURCE_EXHAUSTED",
    "QUOTA_EXCEEDED",
    false,
  ]);
  const other = await errorOf(refusal('serviceaccount "workloads" not found'), []);
  assert.deepEqual([other.code, other.reason], ["FAILED_PRECONDITION", "ADMISSION_DENIED"]);
});

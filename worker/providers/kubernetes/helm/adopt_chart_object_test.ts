import assert from "node:assert/strict";
import { aWorkloadIntent } from "../../../../tests/fakes/intents.ts";
import { adopt } from "./adopt.ts";

const intent = aWorkloadIntent(
  { chart: { name: "web", version: "1.0.0" }, progressDeadlineMs: 90_000 },
  { labels: { team: "web" }, revision: 7, restartToken: "again" },
);

const ours = {
  team: "web",
  "app.kubernetes.io/name": "web",
  "app.kubernetes.io/managed-by": "mpc",
  "mpc/environment": "dev",
  "mpc/workload": "web",
  "mpc/uid": intent.uid,
};

const object = (kind: string, more: Record<string, unknown> = {}) => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "a", labels: { "app.kubernetes.io/managed-by": "Helm", tier: "web" } },
  ...more,
});

Deno.test("adopt() labels an object and its pods as ours, and keeps the chart's own labels", () => {
  const template = { metadata: { labels: { app: "a" } }, spec: { containers: [] } };
  const adopted = adopt(intent, object("Deployment", { spec: { replicas: 2, template } }), false);
  assert.deepEqual(adopted, {
    apiVersion: "v1",
    kind: "Deployment",
    metadata: {
      name: "a",
      namespace: "dev",
      labels: { ...ours, tier: "web" },
      annotations: { "mpc/revision": "7" },
    },
    spec: {
      progressDeadlineSeconds: 90,
      replicas: 2,
      template: {
        metadata: {
          labels: { ...ours, app: "a" },
          annotations: { "mpc/restart-token": "again" },
        },
        spec: { containers: [] },
      },
    },
  });
});

Deno.test("adopt() knows where each kind describes its pods, and leaves a Job's alone when restarted", () => {
  const template = { metadata: {}, spec: {} };
  const spec = { jobTemplate: { spec: { template } } };
  const cronJob = adopt(intent, object("CronJob", { spec }), false);
  const job = adopt(intent, object("Job", { spec: { template } }), false);
  const labelled = { metadata: { labels: ours }, spec: {} };
  assert.deepEqual(cronJob["spec"], { jobTemplate: { spec: { template: labelled } } });
  const { team: _, ...always } = ours;
  assert.deepEqual(job["spec"], { template: { metadata: { labels: always }, spec: {} } });
});

Deno.test("adopt() has a StatefulSet's storage go with the workload, by labels that never change", () => {
  const { team: _, ...always } = ours;
  const claim = { metadata: { name: "data", labels: { tier: "db" } }, spec: {} };
  const spec = { template: { metadata: {} }, volumeClaimTemplates: [claim] };
  const adopted = adopt(intent, object("StatefulSet", { spec }), false);
  assert.deepEqual((adopted["spec"] as typeof spec).volumeClaimTemplates, [
    { metadata: { name: "data", labels: { ...always, tier: "db" } }, spec: {} },
  ]);
});

Deno.test("adopt() keeps what the chart says of its deadline", () => {
  const spec = { progressDeadlineSeconds: 5, template: {} };
  const adopted = adopt(intent, object("Deployment", { spec }), false);
  assert.equal((adopted["spec"] as typeof spec).progressDeadlineSeconds, 5);
});

Deno.test("adopt() puts what stands in no namespace into none", () => {
  assert.equal("namespace" in adopt(intent, object("ClusterRole"), true).metadata, false);
  assert.equal(adopt(intent, object("Secret"), false).metadata.namespace, "dev");
});

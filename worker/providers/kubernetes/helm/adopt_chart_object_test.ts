import assert from "node:assert/strict";
import { aWorkloadIntent } from "../../../../tests/fakes/intents.ts";
import { fieldAt } from "../client/kube_object.ts";
import { adoptChartObject } from "./adopt_chart_object.ts";

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

/** What pods get whose chart names no account. */
const noToken = { serviceAccountName: "workloads", automountServiceAccountToken: false };

const object = (kind: string, more: Record<string, unknown> = {}) => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "a", labels: { "app.kubernetes.io/managed-by": "Helm", tier: "web" } },
  ...more,
});

Deno.test("adoptChartObject() adds our labels to an object and its pods, and keeps the chart's labels", () => {
  const template = { metadata: { labels: { app: "a" } }, spec: { containers: [] } };
  const adopted = adoptChartObject(
    intent,
    object("Deployment", { spec: { replicas: 2, template } }),
    false,
  );
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
        spec: { containers: [], ...noToken },
      },
    },
  });
});

Deno.test("adoptChartObject() finds the pod template of each kind, and does not restart Jobs", () => {
  const template = { metadata: {}, spec: {} };
  const spec = { jobTemplate: { spec: { template } } };
  const cronJob = adoptChartObject(intent, object("CronJob", { spec }), false);
  const job = adoptChartObject(intent, object("Job", { spec: { template } }), false);
  const labelled = { metadata: { labels: ours }, spec: noToken };
  assert.deepEqual(cronJob["spec"], { jobTemplate: { spec: { template: labelled } } });
  const { team: _, ...always } = ours;
  assert.deepEqual(job["spec"], { template: { metadata: { labels: always }, spec: noToken } });
});

for (
  const [title, pod, adopted] of [
    ["no account", {}, noToken],
    ["the default account", { serviceAccountName: "default", hostname: "a" }, {
      ...noToken,
      hostname: "a",
    }],
    ["the default account by its old name", { serviceAccount: "default" }, noToken],
    ["a token, but no account", { automountServiceAccountToken: true }, {
      ...noToken,
      automountServiceAccountToken: true,
    }],
    ["an account of its own", { serviceAccountName: "shop" }, { serviceAccountName: "shop" }],
  ] as const
) {
  Deno.test(`adoptChartObject() of a chart that names ${title}`, () => {
    const spec = { template: { spec: pod } };
    const object_ = adoptChartObject(intent, object("StatefulSet", { spec }), false);
    assert.deepEqual(fieldAt(object_, "spec", "template", "spec"), adopted);
  });
}

Deno.test("adoptChartObject() labels the storage claims of a StatefulSet, without user labels", () => {
  const { team: _, ...always } = ours;
  const claim = { metadata: { name: "data", labels: { tier: "db" } }, spec: {} };
  const spec = { template: { metadata: {} }, volumeClaimTemplates: [claim] };
  const adopted = adoptChartObject(intent, object("StatefulSet", { spec }), false);
  assert.deepEqual((adopted["spec"] as typeof spec).volumeClaimTemplates, [
    { metadata: { name: "data", labels: { ...always, tier: "db" } }, spec: {} },
  ]);
});

Deno.test("adoptChartObject() keeps the chart's progress deadline", () => {
  const spec = { progressDeadlineSeconds: 5, template: {} };
  const adopted = adoptChartObject(intent, object("Deployment", { spec }), false);
  assert.equal((adopted["spec"] as typeof spec).progressDeadlineSeconds, 5);
});

Deno.test("adoptChartObject() gives cluster-scoped objects no namespace", () => {
  assert.equal(
    "namespace" in adoptChartObject(intent, object("ClusterRole"), true).metadata,
    false,
  );
  assert.equal(adoptChartObject(intent, object("Secret"), false).metadata.namespace, "dev");
});

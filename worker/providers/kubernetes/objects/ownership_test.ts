import assert from "node:assert/strict";
import { ENVIRONMENT, MANAGED_BY, MANAGER, REVISION, UID, WORKLOAD } from "../render/mod.ts";
import type { LiveObject } from "../client/kube_object.ts";
import { toClusterObject } from "./ownership.ts";

Deno.test("a replaced controller that is being deleted does not count as the running revision", () => {
  const labels = {
    [MANAGED_BY]: MANAGER,
    [ENVIRONMENT]: "dev",
    [WORKLOAD]: "web",
    [UID]: "uid-web",
  };
  const revisionOf = (more: { deletionTimestamp?: string }) =>
    toClusterObject("test", {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: {
        name: "web",
        namespace: "dev",
        labels,
        annotations: { [REVISION]: "1" },
        ...more,
      },
    })?.revision;
  assert.equal(revisionOf({}), 1);
  assert.equal(revisionOf({ deletionTimestamp: "2030-01-01T00:00:00Z" }), 0);
});

Deno.test("an edited or replaced object has another version; a changed status makes none", () => {
  const versionOf = (
    kind: string,
    { labels, ...more }: LiveObject["metadata"],
    content: Readonly<Record<string, unknown>> = {},
  ) =>
    toClusterObject("test", {
      apiVersion: "v1",
      kind,
      metadata: {
        labels: { [MANAGED_BY]: MANAGER, [ENVIRONMENT]: "dev", [UID]: "uid-dev", ...labels },
        ...more,
      },
      ...content,
    })!.version;
  const listed = { name: "web", uid: "a", generation: 1, resourceVersion: "7" };
  const before = versionOf("Deployment", listed);
  assert.equal(versionOf("Deployment", { ...listed, resourceVersion: "8" }), before);
  const controlled = { ...listed, annotations: { "deployment.kubernetes.io/revision": "2" } };
  assert.equal(versionOf("Deployment", controlled), before, "a controller's annotation");
  assert.notEqual(versionOf("Deployment", { ...listed, generation: 2 }), before);
  assert.notEqual(versionOf("Deployment", { ...listed, uid: "b" }), before);
  assert.notEqual(versionOf("Deployment", { ...listed, labels: { keep: "yes" } }), before);
  const { generation: _, ...config } = listed;
  const changed = { ...config, resourceVersion: "8" };
  assert.notEqual(versionOf("ConfigMap", config), versionOf("ConfigMap", changed));
  for (
    const kind of ["Namespace", "Service", "ResourceQuota", "PersistentVolumeClaim"]
  ) {
    const spec = { a: 1, b: 2 };
    const before = versionOf(kind, config, { spec, status: { used: 1 } });
    const later = { status: { used: 2 }, spec: { b: 2, a: 1 } };
    assert.equal(versionOf(kind, changed, later), before, `the status of a ${kind}`);
    assert.notEqual(versionOf(kind, changed, { spec: { a: 2 } }), before, kind);
    const labelled = { ...changed, labels: { keep: "yes" } };
    assert.notEqual(versionOf(kind, labelled, later), before, `a label of a ${kind}`);
    const noted = { ...changed, annotations: { note: "keep" } };
    assert.notEqual(versionOf(kind, noted, later), before, `an annotation of a ${kind}`);
  }
});

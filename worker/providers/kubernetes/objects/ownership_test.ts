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
  const versionOf = (kind: string, more: LiveObject["metadata"]) =>
    toClusterObject("test", {
      apiVersion: "v1",
      kind,
      metadata: {
        labels: { [MANAGED_BY]: MANAGER, [ENVIRONMENT]: "dev", [UID]: "uid-dev" },
        ...more,
      },
    })!.version;
  const listed = { name: "web", uid: "a", generation: 1, resourceVersion: "7" };
  const before = versionOf("Deployment", listed);
  assert.equal(versionOf("Deployment", { ...listed, resourceVersion: "8" }), before);
  assert.notEqual(versionOf("Deployment", { ...listed, generation: 2 }), before);
  assert.notEqual(versionOf("Deployment", { ...listed, uid: "b" }), before);
  const config = { name: "web", uid: "a", resourceVersion: "7" };
  const changed = { ...config, resourceVersion: "8" };
  assert.notEqual(versionOf("ConfigMap", config), versionOf("ConfigMap", changed));
  assert.equal(versionOf("Namespace", config), versionOf("Namespace", changed));
});

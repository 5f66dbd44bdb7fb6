import assert from "node:assert/strict";
import { ENVIRONMENT, MANAGED_BY, MANAGER, REVISION, UID, WORKLOAD } from "../render/mod.ts";
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

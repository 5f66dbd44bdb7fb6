import assert from "node:assert/strict";
import { aSpec, aWorkload } from "../../tests/fakes/documents.ts";
import { workloadDeploy } from "./workload_deploy.ts";

const chart = { name: "shop", version: "1.0.0", values: {} };

const input = {
  verb: "deploy",
  environment: "dev",
  workload: "web",
  uid: "uid-dev-web",
  revision: 2,
  wanted: {
    labels: {},
    annotations: {},
    spec: aSpec({ image: "", replicas: 0, chart }),
    restartToken: "",
  },
  previous: null,
  forceConflicts: false,
};

const stamp = {
  operation: { name: "operations/1", target: "environments/dev/workloads/web", targetUid: "" },
  now: Date.UTC(2030, 0, 1),
  message: "",
};

Deno.test("a deployment records as many ready copies as its rollout ended with", () => {
  const current = aWorkload("dev", "web", { state: "DEPLOYING" });
  const outputs = { await_rollout: { readyReplicas: 3 } };
  const settled = workloadDeploy.settle(current, input, "SUCCEEDED", { ...stamp, outputs });
  assert.deepEqual([settled?.state, settled?.readyReplicas], ["READY", 3]);
});

import assert from "node:assert/strict";
import { away, failing, uiTest } from "./ui_world.ts";

uiTest("the page of an environment without workloads says how to deploy", async (world) => {
  await world.createEnvironment("dev", { quota: { workloads: 3, cpu: "2" } });
  const { status, text, document } = await world.page("/environments/dev");
  assert.equal(status, 200);
  assert.match(text, /Nothing is deployed here/);
  assert.match(text, /mpctl workload deploy web --env dev/);
  assert.match(text, /Workloads0 of 3/);
  assert.match(text, /Memory0, no limit/);
  assert.equal(document.body.getAttribute("data-watch"), "environments/dev");
});

uiTest("the page of an environment sums up what its workloads ask for", async (world) => {
  await world.createEnvironment("dev", { quota: { cpu: "2", memory: "1Gi" } });
  await world.deploy("dev", "web", { replicas: 3, resources: { cpu: "250m", memory: "128Mi" } });
  const { text } = await world.page("/environments/dev");
  assert.match(text, /CPU750m of 2/);
  assert.match(text, /Memory384Mi of 1Gi/);
  assert.match(text, /3 \/ 3/);
  assert.match(text, /environment\.create/);
});

uiTest("the page of an environment shows the rest when a part cannot be read", async (world) => {
  await world.createEnvironment("dev");
  world.answer = failing(away(), "ListWorkloads", "ListOperations");
  const { status, text } = await world.page("/environments/dev");
  assert.equal(status, 200);
  assert.match(text, /the server cannot be reached/);
  assert.match(text, /Conditions/);
});

uiTest("the page of an environment that does not exist says so", async (world) => {
  const { status, text } = await world.page("/environments/nowhere");
  assert.equal(status, 404);
  assert.match(text, /Not found/);
  assert.match(text, /ENVIRONMENT_NOT_FOUND/);
});

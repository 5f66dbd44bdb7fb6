import assert from "node:assert/strict";
import { explain } from "@mpc/services";
import { withPlatform } from "../fakes/platform.ts";
import { create, deploy } from "../fakes/scenarios.ts";

const EXPLAINED: readonly (readonly [string, string, string])[] = [
  ["nginx:missing", "ErrImagePull", "caller"],
  ["nginx:crash", "CrashLoopBackOff", "caller"],
  ["nginx:unschedulable", "Unschedulable", "cluster"],
  ["nginx:stuck", "NotReady", "caller"],
];

for (const [image, reason, responsible] of EXPLAINED) {
  Deno.test(`explain goes from the operation down to '${reason}' of ${image}, and names who must act`, () =>
    withPlatform(async (platform) => {
      await platform.ended(await create(platform));
      const operation = await platform.ended(await deploy(platform, image));
      const explanation = explain(operation);
      assert.match(explanation.summary, /failed at step 'await_rollout'; undone: apply_workload$/);
      assert.equal(explanation.causes[0]?.scope, "operation");
      assert.equal(explanation.causes.at(-1)?.reason, reason);
      assert.equal(explanation.responsible, responsible);
      assert.match(explanation.nextCommand, /^mpctl /);
    }));
}

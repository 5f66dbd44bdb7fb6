import assert from "node:assert/strict";
import { environmentIdOf, idOf, parseName, revisionName, workloadName } from "./names.ts";

const NAMES: readonly (readonly [string, ReturnType<typeof parseName>])[] = [
  ["environments/dev", { kind: "environment", ids: ["dev"] }],
  ["environments/dev/workloads/web", { kind: "workload", ids: ["dev", "web"] }],
  ["environments/dev/workloads/web/revisions/3", { kind: "revision", ids: ["dev", "web", "3"] }],
  ["operations/1-2", { kind: "operation", ids: ["1-2"] }],
  ["environments/", undefined],
  ["environments/dev/", undefined],
  ["environments/dev/workloads/web/revisions/0", undefined],
  ["dev", undefined],
];

for (const [name, parsed] of NAMES) {
  Deno.test(`parseName() of '${name}'`, () => assert.deepEqual(parseName(name), parsed));
}

Deno.test("a name that is built can be parsed", () => {
  const workload = workloadName("dev", "web");
  assert.equal(revisionName(workload, 3), "environments/dev/workloads/web/revisions/3");
  assert.equal(idOf(workload), "web");
  assert.equal(environmentIdOf(workload), "dev");
});

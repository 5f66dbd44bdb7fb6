/** Determinism: the sandbox loads only the orchestrator, data, and Temporal's own packages. */
import assert from "node:assert/strict";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { workflowBundle } from "../servers/workflow_bundle.ts";

const BUNDLER = fileURLToPath(
  new URL("../../worker/engine/temporal/bundle_workflows.ts", import.meta.url),
);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

Deno.test("the workflow bundle contains no storage, provider, step, or module of Node or Deno", async () => {
  const code = await Deno.readTextFile(await workflowBundle());
  const modules = [...code.matchAll(/!\*\*\* (\S+) \*\*\*!/g)].map(([, path]) => path!);
  const ours = modules.filter((path) => !path.includes("/npm/") && path.endsWith(".ts"))
    .map((path) => relative(ROOT, `${ROOT}/${path.replace(/^(?:\.\.\/)+/, "")}`));
  const workflows = "worker/engine/temporal";
  assert.deepEqual(
    new Set(ours.map((path) => path.replace(/^\.\//, ""))),
    new Set([
      "services/sagas/orchestrate.ts",
      `${workflows}/contract.ts`,
      ...["mod", "run_operation", "run_pass", "step_lists", "workflow_driver"].map((name) =>
        `${workflows}/workflows/${name}.ts`
      ),
    ]),
  );
  const packages = modules.flatMap((path) =>
    /\/npm\/[^/]+\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []
  );
  assert.deepEqual(
    [...new Set(packages)].filter((name) => !name.startsWith("@temporalio/")).toSorted(),
    ["long", "ms", "nexus-rpc"],
    "what Temporal's own packages need, and no more",
  );
  assert.doesNotMatch(code, /\bDeno\.|require\("node:|from "node:/);
});

Deno.test("bundling does not load the compiler whose native module sometimes crashes Deno", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-prompt", BUNDLER],
    env: { SWC_BINARY_PATH: "/nowhere/swc.node" },
  }).output();
  assert.equal(code, 0, `it was loaded: ${new TextDecoder().decode(stderr)}`);
});

/** `task dev --engine temporal`: the same commands and output, with a Temporal of its own. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GOLDEN_CASES } from "../e2e/mpctl_golden_cases.ts";
import { testMpctl, withMpctl } from "../e2e/mpctl_world.ts";
import { startPlatform } from "../servers/platform_process.ts";
import { runTemporal, startTemporalServer } from "../servers/temporal_server.ts";

// How much of a failure and its undo a watcher sees step by step is random, more so here.
const cases = GOLDEN_CASES.filter(([name]) => name !== "failure.txt");

testMpctl("mpctl prints on Temporal", cases, {
  platformArgs: ["--engine=temporal", "--simulated-delays=none"],
});

Deno.test("a second start continues the operations in the data directory, records and workflows", async () => {
  const directory = await mkdtemp(join(tmpdir(), "mpc-dev-"));
  const args = ["--engine=temporal", `--data-dir=${directory}`];
  try {
    await withMpctl(async ({ run }) => {
      const first = await startPlatform(args);
      const server = ["--server", first.web.origin];
      await run(["env", "create", "dev", ...server]);
      const web = ["workload", "deploy", "web", "--env", "dev", "--image", "nginx:slow"];
      const { code } = await run([...web, "--no-wait", ...server]);
      assert.equal(code, 0);
      await first.kill();
      const second = await startPlatform(args);
      const { out } = await run(["op", "list", "-o", "name", "--server", second.web.origin]);
      const [name = ""] = out.split("\n");
      const watched = await run(["op", "watch", name, "--server", second.web.origin]);
      assert.equal(watched.code, 0, watched.err);
      assert.match(watched.err, /await_rollout succeeded/);
      await second.stop();
    });
  } finally {
    await rm(directory, { recursive: true });
  }
});

Deno.test("dev works in the namespace and on the task queue that its flags name", async () => {
  const server = await startTemporalServer();
  try {
    const { address } = server;
    await runTemporal(address, "temporal operator namespace create shop");
    await withMpctl(async ({ run }) => {
      const platform = await startPlatform([
        "--ephemeral",
        "--engine=temporal",
        `--temporal-address=${address}`,
        "--temporal-namespace=shop",
        "--temporal-task-queue=shop-queue",
        "--simulated-delays=none",
      ]);
      try {
        const { code, err } = await run(["env", "create", "dev", "--server", platform.web.origin]);
        assert.equal(code, 0, err);
      } finally {
        await platform.stop();
      }
    });
    const ended = await runTemporal(
      address,
      "temporal workflow list --namespace shop --output json --limit 1 " +
        `--query "WorkflowType='environment.create'"`,
    );
    assert.match(ended, /WORKFLOW_EXECUTION_STATUS_COMPLETED/);
    assert.match(ended, /"shop-queue-[0-9a-f-]{36}"/, "the queue ends with the installation's id");
  } finally {
    await server.stop();
  }
});

Deno.test("dev without a data directory leaves nothing in a Temporal that others share", async () => {
  const server = await startTemporalServer();
  try {
    const { address } = server;
    await withMpctl(async ({ run }) => {
      const platform = await startPlatform([
        "--ephemeral",
        "--engine=temporal",
        `--temporal-address=${address}`,
      ]);
      const web = ["--server", platform.web.origin];
      await run(["env", "create", "dev", ...web]);
      const deploy = ["workload", "deploy", "web", "--env", "dev", "--image", "nginx:slow"];
      assert.equal((await run([...deploy, "--no-wait", ...web])).code, 0);
      const schedules = await runTemporal(address, "temporal schedule list --output json");
      assert.match(schedules, /janitor_pass/);
      await platform.stop();
    });
    const left = await runTemporal(
      address,
      `temporal workflow count --query "ExecutionStatus='Running'"`,
    );
    assert.match(left, /Total: 0/);
    assert.doesNotMatch(
      await runTemporal(address, "temporal schedule list --output json"),
      /_pass/,
    );
  } finally {
    await server.stop();
  }
});

/** The candidates with which mpctl completes a command line for a shell. */
import assert from "node:assert/strict";
import { testMpctl, type World } from "./mpctl_world.ts";

/** The candidates for the last word. */
async function completions({ run, web }: World, ...words: string[]): Promise<readonly string[]> {
  const { code, out } = await run(["complete", "--", ...words], { env: { MPC_SERVER: web } });
  assert.equal(code, 0);
  return out.split("\n").filter(Boolean).map((line) => line.split("\t")[0]!);
}

testMpctl("mpctl completes", [
  ["nouns, verbs and flags", async (world) => {
    assert.deepEqual(await completions(world, "wo"), ["workload", ":4"]);
    assert.deepEqual(await completions(world, "op", "wa"), ["watch", ":4"]);
    assert.deepEqual(await completions(world, "env", "create", "dev", "--max-c"), [
      "--max-cpu",
      ":4",
    ]);
    assert.deepEqual(await completions(world, "completion", "f"), ["fish", ":4"]);
  }],
  ["formats and settings", async (world) => {
    assert.deepEqual(await completions(world, "env", "list", "-o", "j"), ["json", "jsonl", ":4"]);
    assert.deepEqual(await completions(world, "config", "set", ""), [
      "server",
      "output",
      "environment",
      "ca-file",
      "client-certificate",
      "client-key",
      ":4",
    ]);
  }],
  ["names from the server", async (world) => {
    await world.mpctl("env", "create", "dev");
    await world.mpctl("env", "create", "staging");
    await world.mpctl("workload", "deploy", "web", "--env", "dev", "--image", "nginx:1");
    assert.deepEqual(await completions(world, "env", "get", ""), ["dev", "staging", ":4"]);
    assert.deepEqual(await completions(world, "env", "get", "s"), ["staging", ":4"]);
    assert.deepEqual(await completions(world, "workload", "get", "--env", "d"), ["dev", ":4"]);
    assert.deepEqual(await completions(world, "workload", "get", "--env", "dev", ""), [
      "web",
      ":4",
    ]);
    assert.deepEqual(await completions(world, "workload", "get", "w"), [":4"]);
    assert.equal((await completions(world, "op", "get", "")).length, 4, "three operations");
  }],
  ["the value of a flag in the same word", async (world) => {
    assert.deepEqual(await completions(world, "env", "list", "--output=j"), [
      "--output=json",
      "--output=jsonl",
      ":4",
    ]);
    assert.deepEqual(await completions(world, "env", "list", "--no-such=j"), [":4"]);
    assert.deepEqual(await completions(world, "env", "list", "--no-headers=j"), [":4"]);
    assert.deepEqual(await completions(world, "apply", "--file=x"), [":0"]);
  }],
  ["revisions, copies, sort fields, clusters and targets", async (world) => {
    const web = ["web", "--env", "dev"];
    assert.deepEqual(await completions(world, "workload", "rollback", ...web, "--to", ""), [
      "1",
      ":4",
    ]);
    assert.deepEqual(await completions(world, "workload", "diff", ...web, "1", ""), ["1", ":4"]);
    const [replica = ""] = await completions(world, "workload", "logs", ...web, "--replica", "");
    assert.match(replica, /^web-/);
    assert.deepEqual(await completions(world, "env", "list", "--sort-by", "cr"), [
      "create_time",
      "create_time desc",
      ":4",
    ]);
    assert.deepEqual(await completions(world, "env", "create", "x", "--cluster", ""), [
      "default",
      ":4",
    ]);
    assert.deepEqual(await completions(world, "event", "watch", "--target", "environments/d"), [
      "environments/dev",
      "environments/dev/workloads/web",
      ":4",
    ]);
  }],
  ["operations that the verb can act on", async (world) => {
    assert.deepEqual(await completions(world, "op", "cancel", ""), [":4"], "none is running");
    await world.mpctl("workload", "deploy", "bad", "--env", "dev", "--image", "nginx:missing");
    assert.equal((await completions(world, "op", "retry", "")).length, 2, "the one that failed");
  }],
  ["file names for arguments that are files", async (world) => {
    assert.deepEqual(await completions(world, "apply", "-f", ""), [":0"]);
  }],
  ["nothing, and at once, if the server does not answer", async ({ run }) => {
    const env = { MPC_SERVER: "http://127.0.0.1:9" };
    const { code, out, err } = await run(["complete", "--", "env", "get", ""], { env });
    assert.deepEqual([code, out, err], [0, ":4\n", ""]);
  }],
], { platformArgs: ["--simulated-delays=none"] });

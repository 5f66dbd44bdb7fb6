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
  ["file names for arguments that are files", async (world) => {
    assert.deepEqual(await completions(world, "apply", "-f", ""), [":0"]);
  }],
  ["nothing, and at once, if the server does not answer", async ({ run }) => {
    const env = { MPC_SERVER: "http://127.0.0.1:9" };
    const { code, out, err } = await run(["complete", "--", "env", "get", ""], { env });
    assert.deepEqual([code, out, err], [0, ":4\n", ""]);
  }],
], { platformArgs: ["--simulated-delays=none"] });

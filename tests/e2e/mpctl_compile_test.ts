/** Compiled mpctl programs, as far as they can be made without Deno's download site. */
import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PERMISSIONS } from "../../cli/build/bundle.ts";
import { compileMpctl, TARGETS } from "../../cli/build/compile.ts";
import { runCommand } from "../servers/run_command.ts";

const SCRIPT = new URL("../../cli/build/compile.ts", import.meta.url).pathname;

Deno.test("mpctl is compiled for the five usual targets", () => {
  assert.deepEqual(TARGETS, [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
  ]);
});

Deno.test("mpctl has no more permissions than it needs", () => {
  const bare = PERMISSIONS.filter((flag) => !flag.includes("="));
  assert.deepEqual(bare, ["--no-prompt", "--allow-net", "--allow-read", "--allow-write"]);
  assert.ok(!PERMISSIONS.includes("--allow-env"), "only the variables that it reads");
  const narrow = PERMISSIONS.filter((flag) => /^--allow-(?!env)[a-z]+=/.test(flag));
  assert.deepEqual(narrow, ["--allow-run=sh"], "only the user's credential command");
});

Deno.test("the compiler appends mpctl to the runtime that DENORT_BIN names", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mpc-compile-"));
  const before = Deno.env.get("DENORT_BIN");
  // A stand-in for a runtime: it shows what is compiled, although the result does not run.
  Deno.env.set("DENORT_BIN", before ?? Deno.execPath());
  try {
    const program = await compileMpctl("x86_64-unknown-linux-gnu", folder);
    const [{ size }, runtime] = await Promise.all([
      stat(program),
      stat(Deno.env.get("DENORT_BIN")!),
    ]);
    assert.ok(size > runtime.size + 500_000, "the runtime, followed by mpctl's bundle");
    if (before === undefined) return;
    const { out } = await runCommand([program, "version"]);
    assert.match(out, /^mpctl \d/, "with a real runtime the program runs");
  } finally {
    if (before === undefined) Deno.env.delete("DENORT_BIN");
    await rm(folder, { recursive: true });
  }
});

Deno.test("an unknown target is rejected with the known ones", async () => {
  const { code, err } = await runCommand([Deno.execPath(), "run", "-A", SCRIPT, "amiga"]);
  assert.equal(code, 2);
  assert.match(err, /Cannot compile for 'amiga': must be one of x86_64-unknown-linux-gnu, /);
});

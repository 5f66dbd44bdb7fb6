/** `task dev --engine temporal` on a machine without Temporal's program. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../servers/run_command.ts";
import { startDeno } from "../servers/subprocess.ts";
import { taskCommand } from "../servers/task_process.ts";

/** A `python3` without `venv`, as Debian ships it. */
const BARE_PYTHON = `#!/bin/sh
echo 'The virtual environment was not created successfully'
echo 'because ensurepip is not available.'
exit 1
`;

/** Starts `dev` with a path on which only `deno` and these programs are. */
async function startWith(programs: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), "mpc-no-temporal-"));
  try {
    const { out } = await runCommand([Deno.execPath(), "info", "--json"]);
    await symlink(Deno.execPath(), join(folder, "deno"));
    for (const [name, text] of Object.entries(programs)) {
      await writeFile(join(folder, name), text);
      await chmod(join(folder, name), 0o755);
    }
    const { args, env } = taskCommand("dev");
    const dev = startDeno([...args, "--engine=temporal", "--ephemeral"], {
      ...env,
      PATH: folder,
      DENO_DIR: JSON.parse(out).denoDir,
      XDG_CACHE_HOME: join(folder, "cache"),
    });
    const { code } = await dev.status;
    return { code, printed: dev.output() };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const CASES = [
  ["without Python", {}, "there is no 'python3'"],
  [
    "with a Python that has no venv",
    { python3: BARE_PYTHON },
    "python3: The virtual environment was not created successfully because ensurepip is not available",
  ],
] as const;

for (const [machine, programs, reason] of CASES) {
  Deno.test(`dev --engine temporal ${machine} says where to get Temporal`, async () => {
    const { code, printed } = await startWith(programs);
    assert.equal(
      printed,
      "Error: Cannot start Temporal: there is no program 'temporal' on the path, and installing " +
        `it by pip failed: ${reason}; install Temporal's CLI (https://docs.temporal.io/cli), or ` +
        "Python 3 with venv, or give --temporal-address\n",
    );
    assert.equal(code, 1);
  });
}

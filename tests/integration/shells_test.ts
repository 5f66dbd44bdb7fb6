/** The completion scripts, in their shells. */
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mpctlCommand, testMpctl, type World } from "../e2e/mpctl_world.ts";
import { runCommand } from "../servers/run_command.ts";

/** Puts `mpctl` on the `PATH`, as a user of completion has it. */
async function environment({ bundle, directory, web }: World): Promise<Record<string, string>> {
  const program = join(directory, "mpctl");
  const command = mpctlCommand(bundle).map((word) => `'${word}'`).join(" ");
  await writeFile(program, `#!/bin/sh\nexec ${command} "$@"\n`);
  await chmod(program, 0o755);
  const config = join(directory, "config.yaml");
  const path = `${directory}:${Deno.env.get("PATH")}`;
  return { PATH: path, MPC_SERVER: web, MPC_CONFIG: config, NO_COLOR: "1" };
}

testMpctl("mpctl completes in", [
  ["(an environment is there)", async ({ mpctl }) => {
    assert.equal((await mpctl("env", "create", "staging")).code, 0);
  }],
  ["bash", async (world) => {
    const script = `
      source /usr/share/bash-completion/bash_completion
      source <(mpctl completion bash)
      complete_line() {
        COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}; COMP_TYPE=9
        read -ra COMP_WORDS <<<"$COMP_LINE"
        [[ "$COMP_LINE" == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=()
        __mpctl_complete 2>/dev/null
        printf '%s\\n' "\${COMPREPLY[@]}"
      }
      complete_line "mpctl env get s"; complete_line "mpctl worklo"`;
    const env = await environment(world);
    const { out, err } = await runCommand(["bash", "-c", script], { env });
    assert.deepEqual(out.trim().split(/\s+/), ["staging", "workload"], err);
  }],
  ["fish", async (world) => {
    const script = "mpctl completion fish | source; complete -C 'mpctl env get '";
    const { out, err } = await runCommand(["fish", "--no-config", "-c", script], {
      env: await environment(world),
    });
    assert.match(out, /^staging\b/m, err);
  }],
  ["zsh, whose script it can read", async (world) => {
    const env = await environment(world);
    const script = "autoload -U compinit; compinit -u; source <(mpctl completion zsh); " +
      "print -r -- $_comps[mpctl]";
    const { code, out, err } = await runCommand(["zsh", "-f", "-c", script], { env });
    assert.equal(code, 0, err);
    assert.match(out, /_mpctl/, "zsh asks the script for mpctl's completions");
  }],
], { platformArgs: ["--simulated-delays=none"] });

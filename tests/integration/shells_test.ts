/** The completion scripts, in interactive shells on a terminal: the effect of a tab on a line. */
import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Cases, mpctlCommand, testMpctl, type World } from "../e2e/mpctl_world.ts";
import { startInTerminal, type TerminalProgram } from "../servers/terminal.ts";

interface Shell {
  readonly command: readonly string[];
  /** Sets a prompt that tests recognize. */
  readonly prompt: string;
  /** Loads the script. */
  readonly source: string;
  /** The text of a sum, so that the echo of a line does not look like its output. */
  readonly sum: string;
}

const SHELLS: Readonly<Record<string, Shell>> = {
  bash: {
    command: ["bash", "--norc", "--noprofile", "-i"],
    prompt: "PS1='=''> '",
    source: "source <(mpctl completion bash)",
    sum: "$((40 + 2))",
  },
  zsh: {
    command: ["zsh", "-f", "-i"],
    prompt: "PS1='=''> '",
    // By default a tab in zsh expands a substitution in the current word before it asks any script.
    source: "bindkey '^I' complete-word; autoload -U compinit; compinit -u -D; " +
      "source <(mpctl completion zsh)",
    sum: "$((40 + 2))",
  },
  fish: {
    command: ["fish", "--no-config", "-i"],
    prompt: "function fish_prompt; echo -n =; echo -n '> '; end",
    source: "mpctl completion fish | source",
    sum: "(math 40 + 2)",
  },
};

/** Puts `mpctl` on the `PATH`, like a user of completion, and starts the shell there. */
async function start(
  { bundle, directory, web }: World,
  { command, prompt, source, sum }: Shell,
): Promise<TerminalProgram> {
  const program = join(directory, "mpctl");
  const words = mpctlCommand(bundle).map((word) => `'${word}'`).join(" ");
  await writeFile(program, `#!/bin/sh\nexec ${words} "$@"\n`);
  await chmod(program, 0o755);
  const shell = startInTerminal(command, {
    PATH: `${directory}:${Deno.env.get("PATH")}`,
    HOME: directory,
    MPC_SERVER: web,
    MPC_CONFIG: join(directory, "config.yaml"),
    NO_COLOR: "1",
  });
  // Sourced twice, as if a user changed the start-up file and loaded it again.
  await shell.type(`${prompt}; cd ${directory}; ${source}; ${source}; echo ready-${sum}\n`);
  await shell.until(/ready-42[^]*=> /);
  return shell;
}

type Tab = (line: string) => Promise<string>;

/** Starts a shell; `tab` types a line and a tab, and returns what the terminal then shows. */
async function inShell(
  world: World,
  shell: Shell,
  run: (tab: Tab) => Promise<void>,
): Promise<void> {
  const program = await start(world, shell);
  let lines = 0;
  await run(async (line) => {
    const before = program.printed().length;
    const end = `done-${++lines}-42`;
    // The shell reads the text after the tab when it has handled the tab; ctrl-U drops the line.
    await program.type(`${line}\t\x15echo done-${lines}-${shell.sum}\n`);
    await program.until(new RegExp(`${end}[^]*=> `));
    const shown = stripVTControlCharacters(program.printed().slice(before));
    return shown.replaceAll("\r", "").replaceAll("\x07", "");
  });
  await program.type("exit\n");
  await program.code;
}

const HARMFUL = [
  "mpctl env get staging -o yaml > keeper.txt",
  "mpctl env get staging -o yaml > keeper.txt --no-h",
  "mpctl env get staging -o yaml>>keeper.txt",
  "mpctl env get $(touch made) st",
  "mpctl env get `touch made` st",
  'mpctl env get "$(touch made)" st',
  "mpctl env get '; touch made;' st",
  "mpctl env get ;touch made; mpctl env get st",
  "mpctl env get st$(touch made)",
  "mpctl env get --output='$(touch made)",
];

const casesOf = (name: string, shell: Shell): Cases => [
  [
    `${name} completes nouns, flags, their values, names and files`,
    (world) =>
      inShell(world, shell, async (tab) => {
        assert.match(await tab("mpctl worklo"), /mpctl workload/);
        assert.match(await tab("mpctl env get st"), /mpctl env get staging/);
        assert.match(await tab("mpctl env create x --max-c"), /--max-cpu/);
        assert.match(await tab("mpctl env list --output=ya"), /--output=yaml/);
        await writeFile(join(world.directory, "manifest-of-dev.yaml"), "");
        assert.match(await tab("mpctl apply -f manif"), /-f manifest-of-dev\.yaml/);
        assert.match(await tab("mpctl apply --file=manif"), /--file=manifest-of-dev\.yaml/);
        assert.match(await tab("mpctl apply manif"), /apply manifest-of-dev\.yaml/);
        await mkdir(join(world.directory, "folder"), { recursive: true });
        await writeFile(join(world.directory, "folder", "two words.yaml"), "");
        assert.match(await tab("mpctl diff -f folder/tw"), /-f folder\/two\\ words\.yaml/);
        assert.match(await tab("mpctl plan --out=folder/tw"), /--out=folder\/two\\ words\.yaml/);
      }),
  ],
  [
    `${name} completes revisions, copies, sort fields, clusters, targets and operations`,
    (world) =>
      inShell(world, shell, async (tab) => {
        const web = "web --env staging";
        assert.match(await tab(`mpctl workload rollback ${web} --to `), /--to 1/);
        assert.match(await tab(`mpctl workload rollback ${web} --to=`), /--to=1/);
        assert.match(await tab(`mpctl workload logs ${web} --replica w`), /--replica web-r/);
        assert.match(await tab("mpctl env list --sort-by exp"), /--sort-by expire_time/);
        assert.match(await tab("mpctl op list --sort-by=ta"), /--sort-by=target/);
        assert.match(await tab("mpctl env create x --cluster d"), /--cluster default/);
        assert.match(
          await tab("mpctl event watch --target environments/staging/workloads/w"),
          /--target environments\/staging\/workloads\/web/,
        );
        assert.match(await tab("mpctl event watch --kind=w"), /--kind=workload/);
        const { out } = await world.mpctl("op", "list", "--filter", "state = FAILED", "-o", "name");
        const failed = out.trim().slice("operations/".length);
        assert.ok((await tab("mpctl op retry ")).includes(`op retry ${failed}`));
        assert.doesNotMatch(await tab("mpctl op cancel "), /[0-9a-f]{8}-/, "nothing is running");
        assert.match(await tab("mpctl config set output js"), /output json/);
      }),
  ],
  [`${name} evaluates nothing and writes nothing`, async (world) => {
    const kept = join(world.directory, "keeper.txt");
    const made = join(world.directory, "made");
    await writeFile(kept, "precious");
    await inShell(world, shell, async (tab) => {
      for (const line of HARMFUL) {
        await tab(line);
        assert.equal(await readFile(kept, "utf8"), "precious", line);
        await assert.rejects(readFile(made), { code: "ENOENT" }, line);
      }
    });
  }],
];

testMpctl("a tab in", [
  ["(an environment is there)", async ({ mpctl }) => {
    assert.equal((await mpctl("env", "create", "staging")).code, 0);
    const deploy = ["workload", "deploy", "--env", "staging", "--image"];
    assert.equal((await mpctl(...deploy, "nginx:1", "web")).code, 0);
    assert.equal((await mpctl(...deploy, "nginx:missing", "bad")).code, 3);
  }],
  ...Object.entries(SHELLS).flatMap(([name, shell]) => casesOf(name, shell)),
], { platformArgs: ["--simulated-delays=none"] });

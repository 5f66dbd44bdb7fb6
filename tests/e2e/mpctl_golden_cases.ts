/** mpctl's exact output, the same on every runtime and with every engine. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Result } from "../servers/run_command.ts";
import { assertGolden } from "./golden.ts";
import type { Cases, World } from "./mpctl_world.ts";

const MANIFEST = `name: environments/dev/workloads/web
labels: {team: web}
spec: {image: "nginx:1.28", replicas: 3, ports: [{port: 80}]}
`;

const transcript = (args: readonly string[], { code, out, err }: Result) =>
  `$ mpctl ${args.join(" ")}\n${out}${err && `--- standard error\n${err}`}--- exit ${code}\n`;

/** Golden files, and the commands whose output they contain. */
const FILES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "help.txt": [["--help"], ["env", "--help"], ["env", "create", "--help"], ["apply", "--help"]],
  "environment.txt": [
    ["env", "create", "dev", "--label", "team=web", "--max-cpu", "4"],
    ["env", "get", "dev", "-o", "yaml"],
    ["env", "list", "-o", "jsonpath=$[*].labels.team"],
    ["env", "list", "-o", "name"],
  ],
  "workload.txt": [
    ["workload", "deploy", "web", "--env", "dev", "--image", "nginx:1.27", "--dry-run"],
    ["workload", "deploy", "web", "--env", "dev", "--image", "nginx:1.27", "-o", "name"],
    ["workload", "get", "web", "--env", "dev", "-o", "json"],
    ["workload", "logs", "web", "--env", "dev"],
  ],
  "files.txt": [["diff", "-f", "web.yaml"], ["plan", "-f", "web.yaml"], [
    "apply",
    "-f",
    "web.yaml",
  ]],
  "failure.txt": [
    ["workload", "deploy", "bad", "--env", "dev", "--image", "nginx:missing", "-o", "name"],
    ["workload", "get", "wbe", "--env", "dev"],
    ["env", "create", "dev"],
    ["env", "create", "Bad_", "--label", "a b=c", "--max-cpu", "many"],
    ["env", "delete", "dev"],
    ["env", "lits"],
    ["env", "list", "--filter", "colour = red"],
    ["env", "list", "-o", "xml"],
  ],
  "config.txt": [
    ["config", "set", "environment", "dev", "--profile", "work"],
    ["config", "list"],
    ["config", "use", "wrok"],
  ],
};

async function record({ mpctl, directory }: World, commands: readonly (readonly string[])[]) {
  const transcripts: string[] = [];
  for (const args of commands) {
    const inFolder = args.map((arg) => arg === "web.yaml" ? join(directory, arg) : arg);
    const result = await mpctl(...inFolder);
    transcripts.push(transcript(args, result).replaceAll(`${directory}/`, ""));
  }
  return transcripts.join("\n");
}

/** Each golden file, and other checks of the output. */
export const GOLDEN_CASES: Cases = [
  ["(files are there)", async ({ directory }) => {
    await writeFile(join(directory, "web.yaml"), MANIFEST);
  }],
  ...Object.entries(FILES).map(([file, commands]): [string, (world: World) => Promise<void>] => [
    file,
    async (world) => await assertGolden(`mpctl/${file}`, await record(world, commands)),
  ]),
  ["no colours if the output is not a terminal", async ({ run, web }) => {
    const { out, err } = await run(["env", "list", "--server", web], { env: { NO_COLOR: "" } });
    assert.ok(!`${out}${err}`.includes("\u001b"), "no escape sequences in a pipe");
  }],
];

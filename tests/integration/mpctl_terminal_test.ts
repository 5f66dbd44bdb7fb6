/** mpctl on a terminal: what it draws, and what ctrl-C does. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Cases, testMpctl, type World } from "../e2e/mpctl_world.ts";
import { startInTerminal } from "../servers/terminal.ts";

const ESCAPE = "\x1b";
const COLOR = new RegExp(`${ESCAPE}\\[3\\dm`);
const UP = new RegExp(`${ESCAPE}\\[(\\d+)A`);
const UP_FROM_ANYWHERE = new RegExp(`[^\\r]${ESCAPE}\\[\\d+A`);
const SPINNER_OF_APPLY = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] \S+ +creating \S+ await_rollout/;
const SPINNER = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] await_rollout/;

function start({ command, web, directory }: World, args: readonly string[], env = {}) {
  return startInTerminal([...command, ...args, "--server", web], {
    MPC_CONFIG: `${directory}/config.yaml`,
    ...env,
  });
}

const deploy = (id: string, image: string) => [
  ...["workload", "deploy", id, "--env", "dev", "--image", image],
];

/** The final content of the screen: drawing moves the cursor up and overwrites lines. */
function screen(printed: string): readonly string[] {
  const lines: string[] = [];
  let row = 0;
  for (const piece of printed.split(new RegExp(`(${ESCAPE}\\[\\d+A|\\r?\\n)`))) {
    const up = UP.exec(piece);
    if (up) row -= Number(up[1]);
    else if (/^\r?\n$/.test(piece)) row++;
    else if (piece !== "") lines[row] = stripVTControlCharacters(piece);
  }
  return Array.from(lines, (line) => (line ?? "").trimEnd());
}

const CASES: Cases = [
  ["steps are drawn in place with spinner, colours and the time they took", async (world) => {
    assert.equal((await world.mpctl("env", "create", "dev")).code, 0);
    const program = start(world, deploy("web", "nginx:1.27"));
    assert.equal(await program.code, 0, program.printed());
    for (const pattern of [COLOR, UP, SPINNER]) assert.match(program.printed(), pattern);
    const times = / (<time>|0ms|[\d.]+m?s)/g;
    const shown = screen(program.printed()).map((line) => line.replaceAll(times, " <time>"));
    assert.deepEqual(shown.slice(0, 3), [
      "✓ apply_workload <time>",
      "✓ await_rollout <time>",
      "✓ record_revision <time>",
    ]);
    assert.match(shown[4] ?? "", /^web +dev +READY +1\/1 +nginx:1\.27/);
  }],
  ["NO_COLOR removes the colours, not the drawing", async (world) => {
    const program = start(world, deploy("plain", "nginx:1.27"), { NO_COLOR: "1" });
    assert.equal(await program.code, 0, program.printed());
    assert.doesNotMatch(program.printed(), COLOR);
    assert.match(program.printed(), UP);
  }],
  ["retries are drawn with attempt and reason", async (world) => {
    const program = start(world, deploy("flaky", "nginx:flaky"));
    assert.equal(await program.code, 0, program.printed());
    assert.match(
      program.printed(),
      /apply_workload \S+ (attempt 2|attempt \d in [\d.]+m?s, because )/,
    );
  }],
  ["ctrl-C detaches, says how to resume, and the operation continues", async (world) => {
    const program = start(world, deploy("stuck", "nginx:stuck"));
    await program.until(SPINNER);
    await program.type("\x03");
    await program.until(
      /Detached; the operation continues\. Press ctrl-C .*\s+Follow it with 'mpctl op watch \S+'/,
    );
    assert.equal(await program.code, 130, "it was not pressed again");
    const drawn = program.printed();
    assert.doesNotMatch(drawn, UP_FROM_ANYWHERE, "each drawing begins at the left, even after ^C");
    const { out } = await world.mpctl("op", "list", "--filter", "state = RUNNING", "-o", "name");
    assert.match(out, /^operations\//);
  }],
  ["a second ctrl-C asks whether to cancel; after no the operation continues", async (world) => {
    const { out } = await world.mpctl("op", "list", "--filter", "state = RUNNING", "-o", "name");
    const program = start(world, ["op", "watch", out.trim()]);
    await program.until(SPINNER);
    await program.type("\x03");
    await program.until(/Press ctrl-C again/);
    await program.type("\x03");
    await program.until(/and undo what it did\? \[y\/N\] /);
    await program.type("\n");
    assert.equal(await program.code, 130, "no answer is no");
    assert.match(program.printed(), /continues\. Follow it with 'mpctl op watch \S+'\s+$/);
    assert.match((await world.mpctl("op", "get", out.trim())).out, /RUNNING/);
  }],
  ["after yes it is cancelled", async (world) => {
    const { out } = await world.mpctl("op", "list", "--filter", "state = RUNNING", "-o", "name");
    const program = start(world, ["op", "watch", out.trim()]);
    await program.until(SPINNER);
    await program.type("\x03");
    await program.until(/Press ctrl-C again/);
    await program.type("\x03");
    await program.until(/\[y\/N\] /);
    await program.type("y\n");
    assert.equal(await program.code, 4);
    assert.equal((await world.mpctl("op", "watch", out.trim())).code, 4);
  }],
  ["apply draws a line for each resource, and a total", async (world) => {
    const path = join(world.directory, "live.yaml");
    const files = ["live/workloads/web", "live/workloads/bad", "live"].map((name) =>
      `name: environments/${name}\n${
        name === "live" ? "" : `spec: {image: "nginx:${name.endsWith("bad") ? "missing" : "1"}"}\n`
      }`
    );
    await writeFile(path, files.join("---\n"));
    const program = start(world, ["apply", "-f", path]);
    await program.until(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] \S+\/web +creating \S+ await_rollout/);
    assert.equal(await program.code, 3, program.printed());
    for (const pattern of [COLOR, UP]) assert.match(program.printed(), pattern);
    const shown = screen(program.printed());
    assert.match(shown[0] ?? "", /^✓ environments\/live {15}created [\d.]+m?s$/);
    assert.match(shown[1] ?? "", /^✓ environments\/live\/workloads\/web created [\d.]+m?s$/);
    assert.match(
      shown[2] ?? "",
      /^✗ environments\/live\/workloads\/bad failed [\d.]+m?s await_rollout ./,
    );
    assert.match(shown[3] ?? "", /^Error: workload\.deploy of .*bad' failed$/);
    assert.match(shown.join("\n"), /\n2 created, 1 failed \([\d.]+m?s\)\n*$/);
  }],
  ["apply prints plain lines on a terminal that cannot move its cursor", async (world) => {
    const program = start(world, ["apply", "-f", join(world.directory, "live.yaml")], {
      TERM: "dumb",
    });
    assert.equal(await program.code, 3, program.printed());
    assert.doesNotMatch(program.printed(), UP);
    assert.match(program.printed(), /environments\/live unchanged\r\n/);
    assert.match(program.printed(), /bad: ✗ await_rollout failed/);
  }],
  ["a deployment prints plain lines there too", async (world) => {
    const program = start(world, deploy("dumb", "nginx:missing"), { TERM: "dumb" });
    assert.equal(await program.code, 3, program.printed());
    assert.doesNotMatch(program.printed(), UP);
  }],
  ["ctrl-C in apply shows what continues and how to follow it", async (world) => {
    const path = join(world.directory, "stuck.yaml");
    await writeFile(path, `name: environments/live/workloads/wait\nspec: {image: "nginx:stuck"}\n`);
    const program = start(world, ["apply", "-f", path]);
    await program.until(SPINNER_OF_APPLY);
    await program.type("\x03");
    assert.equal(await program.code, 130, program.printed());
    assert.doesNotMatch(program.printed(), UP_FROM_ANYWHERE);
    const shown = screen(program.printed()).join("\n");
    assert.match(shown, /^⊘ environments\/live\/workloads\/wait creating/m);
    assert.match(shown, /^1 creating \(/m);
    const [, id = ""] = /wait continues; follow it with 'mpctl op watch (\S+)'\n*$/.exec(shown) ??
      [];
    assert.equal((await world.mpctl("op", "cancel", id)).code, 0, shown);
  }],
  ["get --watch shows each change, and ends when the resource is gone", async (world) => {
    const program = start(world, ["workload", "get", "web", "--env", "dev", "--watch"]);
    await program.until(/web +dev +READY +1\/1/);
    await world.mpctl("workload", "scale", "web", "--env", "dev", "--replicas", "2");
    await program.until(/web +dev +READY +2\/2/);
    await world.mpctl("workload", "delete", "web", "--env", "dev");
    await program.until(/environments\/dev\/workloads\/web is deleted/);
    assert.equal(await program.code, 0);
  }],
  ["ctrl-C ends event watch, which says how to resume", async (world) => {
    const program = start(world, ["event", "watch", "--target", "environments/dev"]);
    await program.until(/EXISTING environments\/dev/);
    // What exists is printed before there is anything to resume from.
    assert.equal((await world.mpctl("env", "update", "dev", "--label", "seen=yes")).code, 0);
    await program.until(/\n\S+ (?!EXISTING)[A-Z]+ environments\/dev /);
    await program.type("\x03");
    await program.until(/Resume with --resume \S+/);
    assert.equal(await program.code, 0);
  }],
];

for (const runtime of ["deno", "node"] as const) {
  testMpctl(`mpctl on a terminal by ${runtime}`, CASES, { runtime });
}

/** mpctl on a terminal: what it draws, and what ctrl-C does. */
import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { type Cases, testMpctl, type World } from "../e2e/mpctl_world.ts";
import { startInTerminal } from "../servers/terminal.ts";

const ESCAPE = "\x1b";
const COLOR = new RegExp(`${ESCAPE}\\[3\\dm`);
const UP = new RegExp(`${ESCAPE}\\[(\\d+)A`);
const UP_FROM_ANYWHERE = new RegExp(`[^\\r]${ESCAPE}\\[\\d+A`);
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
      /apply_workload \S+ (attempt 2|attempt \d in [\d.]+ s, because )/,
    );
  }],
  ["ctrl-C detaches, says how to resume, and the operation continues", async (world) => {
    const program = start(world, deploy("stuck", "nginx:stuck"));
    await program.until(SPINNER);
    await program.type("\x03");
    await program.until(/Detached; the operation continues\. Follow it with 'mpctl op watch \S+'/);
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
    await program.type("n\n");
    assert.equal(await program.code, 130);
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
    await program.type("\x03");
    await program.until(/Resume with --resume \S+/);
    assert.equal(await program.code, 0);
  }],
];

for (const runtime of ["deno", "node"] as const) {
  testMpctl(`mpctl on a terminal by ${runtime}`, CASES, { runtime });
}

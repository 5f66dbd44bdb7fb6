/** mpctl apply with many resources: what runs at the same time, and what failures and signals leave. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import { type Cases, testMpctl, type World } from "./mpctl_world.ts";

const environment = (id: string, more = "") => `name: environments/${id}\n${more}`;
const workload = (environment: string, id: string, image = "nginx:1", more = "") =>
  `name: environments/${environment}/workloads/${id}\nspec: {image: "${image}"}\n${more}`;

async function fileOf({ directory }: World, ...documents: readonly string[]): Promise<string> {
  const path = join(directory, `${crypto.randomUUID()}.yaml`);
  await writeFile(path, documents.join("---\n"));
  return path;
}

function start({ command, web }: World, ...args: readonly string[]): Subprocess {
  return startDeno([...command.slice(1), ...args, "--server", web]);
}

interface Operation {
  readonly target: string;
  readonly kind: string;
  readonly startTime: string;
  readonly endTime: string;
}

/** The newest operation of each target. */
async function operations({ mpctl }: World): Promise<Map<string, Operation>> {
  const all: Operation[] = JSON.parse((await mpctl("op", "list", "-o", "json")).out);
  return new Map(all.toReversed().map((operation) => [operation.target, operation]));
}

const CASES: Cases = [
  ["an environment and a workload whose creation failed are repaired", async (world) => {
    const { mpctl } = world;
    assert.equal((await mpctl("env", "create", "broken", "--cluster", "nowhere")).code, 3);
    const broken = (image: string) =>
      fileOf(world, environment("broken", "labels: {a: b}\n"), workload("broken", "web", image));
    const differences = await mpctl("diff", "-f", await broken("nginx:1"));
    assert.match(differences.out, /^\+ environments\/broken\n {4}labels\.a: \(none\) → b$/m);
    const first = await mpctl("apply", "-f", await broken("nginx:missing"));
    assert.match(first.out, /^environments\/broken created\n.*web failed$/m, first.err);
    const second = await mpctl("apply", "-f", await broken("nginx:1"));
    assert.equal(second.code, 0, second.err);
    assert.match(second.out, /^environments\/broken unchanged\n.*web configured$/m);
    assert.equal((await mpctl("env", "delete", "broken", "--force")).code, 0);
  }],
  [
    "environments come before their workloads, and a total at the end",
    async (world) => {
      const path = await fileOf(
        world,
        workload("one", "a"),
        workload("two", "b"),
        workload("two", "c"),
        environment("one"),
        environment("two"),
      );
      const { code, out, err } = await world.mpctl("apply", "-f", path);
      assert.equal(code, 0, err);
      assert.deepEqual(out.trim().split("\n"), [
        "environments/one created",
        "environments/two created",
        "environments/one/workloads/a created",
        "environments/two/workloads/b created",
        "environments/two/workloads/c created",
      ]);
      assert.match(err, /^5 created \([\d.]+m?s\)\n$/m);
      assert.match(err, /^environments\/one\/workloads\/a: ✓ await_rollout succeeded/m);
      const done = await operations(world);
      for (const [environment, inside] of [["one", "a"], ["two", "b"], ["two", "c"]]) {
        const first = done.get(`environments/${environment}`)!;
        const second = done.get(`environments/${environment}/workloads/${inside}`)!;
        assert.ok(first.endTime <= second.startTime, `${environment} before ${inside}`);
      }
    },
  ],
  ["a failure stops only what needs it, and nothing is pruned then", async (world) => {
    const { mpctl } = world;
    const labels = "labels: {set: x}\n";
    await mpctl("apply", "-f", await fileOf(world, environment("old", labels)));
    const path = await fileOf(
      world,
      environment("fine", labels),
      workload("fine", "bad", "nginx:missing", labels),
      workload("fine", "good", "nginx:1", labels),
    );
    const { code, out, err } = await mpctl("apply", "-f", path, "--prune", "-l", "set=x");
    assert.equal(code, 3, err);
    assert.deepEqual(out.trim().split("\n"), [
      "environments/fine created",
      "environments/fine/workloads/bad failed",
      "environments/fine/workloads/good created",
      "environments/old skipped",
    ]);
    assert.match(err, /IMAGE_PULL_FAILED/);
    assert.match(err, /Skipped environments\/old: it needs environments\/fine\/workloads\/bad/);
    assert.match(err, /^2 created, 1 failed, 1 skipped \(/m);
    assert.equal((await mpctl("env", "get", "old")).code, 0);
  }],
  ["every manifest that cannot be planned is reported at once", async (world) => {
    const path = await fileOf(
      world,
      workload("fine", "x", "no image"),
      workload("fine", "y", "nginx:1"),
      workload("nowhere", "z"),
    );
    const { code, err } = await world.mpctl("apply", "-f", path);
    assert.equal(code, 2, err);
    assert.match(err, /workload\.spec\.image/);
    assert.match(err, /there is no environment 'environments\/nowhere'/);
  }],
  ["--timeout leaves a true result and the command that follows what continues", async (world) => {
    const path = await fileOf(
      world,
      workload("fine", "stuck", "nginx:stuck"),
      workload("fine", "quick"),
    );
    const { code, out, err } = await world.mpctl(
      "apply",
      "-f",
      path,
      "--timeout",
      "4s",
      "-o",
      "json",
    );
    assert.equal(code, 5, err);
    const [stuck, quick] = JSON.parse(out);
    assert.deepEqual([stuck.result, quick.result], ["creating", "created"]);
    const id = stuck.operation.slice("operations/".length);
    assert.ok(
      err.endsWith(
        `environments/fine/workloads/stuck continues; follow it with 'mpctl op watch ${id}'\n`,
      ),
      err,
    );
    assert.equal((await world.mpctl("op", "cancel", id)).code, 0);
  }],
  ...(["SIGINT", "SIGTERM"] as const).map((signal): Cases[number] => [
    `workloads run eight at a time; ${signal} leaves a true summary, and nothing more is submitted`,
    async (world) => {
      const stuck = Array.from(
        { length: 10 },
        (_, index) => workload("fine", `s${index}`, "nginx:stuck"),
      );
      const program = start(world, "apply", "-f", await fileOf(world, ...stuck));
      for (let index = 0; index < 8; index++) {
        const begun = `environments/fine/workloads/s${index}: ▸ await_rollout runs`;
        await program.line((line) => line.includes(begun) || undefined);
      }
      program.kill(signal);
      assert.equal((await program.status).code, 130, program.output());
      const printed = program.output();
      assert.match(printed, /^8 creating, 2 not applied \(/m);
      assert.match(printed, /^environments\/fine\/workloads\/s9 not applied$/m);
      const ids = [...printed.matchAll(/continues; follow it with 'mpctl op watch (\S+)'/g)]
        .map(([, id = ""]) => id);
      assert.equal(ids.length, 8);
      const running = await world.mpctl("op", "list", "--filter", "state = RUNNING", "-o", "name");
      assert.deepEqual(
        running.out.trim().split("\n").sort(),
        ids.map((id) => `operations/${id}`).sort(),
      );
      for (const id of ids) assert.equal((await world.mpctl("op", "cancel", id)).code, 0);
    },
  ]),
  ["a label that is removed after the plan keeps a resource from being pruned", async (world) => {
    const { mpctl } = world;
    const labels = "labels: {keep: x}\n";
    await mpctl("env", "create", "surplus", "--label", "keep=x");
    // The change before the deletion takes long enough to act in between.
    const path = await fileOf(
      world,
      environment("kept", labels),
      workload("kept", "slow", "nginx:1", labels),
    );
    const program = start(world, "apply", "-f", path, "--prune", "-l", "keep=x");
    await program.line((line) => line.includes("▸ await_rollout runs") || undefined);
    program.kill("SIGSTOP");
    assert.equal((await mpctl("env", "update", "surplus", "--remove-label", "keep")).code, 0);
    program.kill("SIGCONT");
    assert.equal((await program.status).code, 6, program.output());
    assert.match(program.output(), /Cannot prune 'environments\/surplus': it has changed since/);
    assert.equal((await mpctl("env", "get", "surplus")).code, 0);
  }],
  [
    "what has changed since it was compared is applied only if the change is still the same",
    async (world) => {
      const { mpctl } = world;
      const others = Array.from({ length: 8 }, (_, index) => `slow-${index}`);
      const files = (image: string) =>
        fileOf(
          world,
          environment("compared"),
          // As many as run at a time, so that the others are submitted after them.
          ...others.map((id) => workload("compared", id, image)),
          workload("compared", "moved", image),
          workload("compared", "touched", image),
        );
      assert.equal((await mpctl("apply", "-f", await files("nginx:1"))).code, 0);
      const program = start(world, "apply", "-f", await files("nginx:slow"));
      await program.line((line) => line.includes("▸ await_rollout runs") || undefined);
      program.kill("SIGSTOP");
      const at = ["--env", "compared"];
      assert.equal((await mpctl("workload", "scale", "moved", "--replicas", "2", ...at)).code, 0);
      assert.equal((await mpctl("workload", "restart", "touched", ...at)).code, 0);
      program.kill("SIGCONT");
      assert.equal((await program.status).code, 6, program.output());
      assert.match(
        program.output(),
        /Cannot apply 'environments\/compared\/workloads\/moved': it has changed since it was compared/,
      );
      assert.match(program.output(), /moved failed$/m);
      assert.match(program.output(), /touched configured$/m);
      const { spec } = JSON.parse(
        (await mpctl("workload", "get", "moved", ...at, "-o", "json")).out,
      );
      assert.deepEqual([spec.image, spec.replicas], ["nginx:1", 2]);
      assert.equal((await mpctl("env", "delete", "compared", "--force")).code, 0);
    },
  ],
  ["a saved plan does not delete what has changed while it is applied", async (world) => {
    const { mpctl, directory } = world;
    const labels = "labels: {saved: x}\n";
    await mpctl("env", "create", "outdated", "--label", "saved=x");
    await mpctl("env", "create", "current", "--label", "saved=x");
    const path = await fileOf(
      world,
      environment("planned", labels),
      workload("planned", "slow", "nginx:1", labels),
    );
    const plan = join(directory, "outdated.json");
    const made = await mpctl("plan", "-f", path, "--prune", "-l", "saved=x", "--out", plan);
    assert.equal(made.code, 0, made.err);
    const program = start(world, "apply", plan);
    await program.line((line) => line.includes("▸ await_rollout runs") || undefined);
    program.kill("SIGSTOP");
    assert.equal((await mpctl("env", "update", "outdated", "--label", "new=y")).code, 0);
    program.kill("SIGCONT");
    assert.equal((await program.status).code, 6, program.output());
    assert.match(program.output(), /outdated.: its state has changed since the plan was made/);
    assert.equal((await mpctl("env", "get", "outdated")).code, 0);
    assert.equal((await mpctl("env", "get", "current")).code, 7, "as it was planned");
  }],
];

testMpctl("mpctl apply", CASES);

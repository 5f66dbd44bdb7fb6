/** mpctl as its user meets it: environments, workloads and operations. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { type Cases, testMpctl } from "./mpctl_world.ts";

const CASES: Cases = [
  ["env create waits, shows each step and prints the environment", async ({ mpctl }) => {
    const { code, out, err } = await mpctl(
      "env",
      "create",
      "dev",
      "--ttl",
      "8h",
      "--label",
      "team=web",
    );
    assert.equal(code, 0, err);
    assert.match(out, /^NAME +STATE +EXPIRES +LABELS +AGE\ndev +READY +7h59m +team=web +\d+m?s\n$/);
    assert.match(err, /✓ create_namespace succeeded.*\n✓ apply_policies succeeded/);
  }],
  [
    "flags that all commands have may stand before the noun and before the verb",
    async ({ run, web }) => {
      const places = [
        ["--server", web, "-o", "name", "env", "list"],
        ["env", "--server", web, "-o", "name", "list"],
        // The one that stands nearest to the command wins.
        ["-o", "json", "env", "list", "-o", "name", "--server", web],
      ];
      for (const args of places) {
        const { code, out, err } = await run(args);
        assert.equal(code, 0, err);
        assert.equal(out, "environments/dev\n", args.join(" "));
      }
    },
  ],
  ["the commands that the server prints work as they stand", async ({ run, platform }) => {
    const printed = /deno task mpctl (.* op list)/.exec(platform.process.output())?.[1] ?? "";
    const { code, err } = await run(printed.split(" "));
    assert.equal(code, 0, `'${printed}': ${err}`);
  }],
  ["workload deploy waits for the rollout", async ({ mpctl }) => {
    const args = ["--env", "dev", "--image", "nginx:1.27", "--replicas", "2", "--port", "80"];
    const { code, out, err } = await mpctl("workload", "deploy", "web", ...args);
    assert.equal(code, 0, err);
    assert.match(out, /web +dev +READY +2\/2 +nginx:1\.27 +1 /);
  }],
  [
    "a deployment that fails exits with 3 and says step, reason and what to do next",
    async ({ mpctl }) => {
      const args = ["--env", "dev", "--image", "nginx:missing"];
      const { code, err } = await mpctl("workload", "deploy", "bad", ...args);
      assert.equal(code, 3);
      assert.match(err, /✗ await_rollout failed/);
      assert.match(err, /IMAGE_PULL_FAILED: .*ErrImagePull/);
      const id = /mpctl op explain (\S+)'/.exec(err)?.[1] ?? "";
      const explained = await mpctl("op", "explain", id);
      assert.match(explained.out, /failed at step 'await_rollout'; undone: apply_workload/);
      assert.match(
        explained.out,
        /Who must act: caller\nNext: mpctl workload deploy bad --env dev/,
      );
    },
  ],
  ["a flaky image shows its retries and succeeds", async ({ mpctl }) => {
    const { code, err } = await mpctl(
      "workload",
      "deploy",
      "flaky",
      "--env",
      "dev",
      "--image",
      "x:flaky",
    );
    assert.equal(code, 0, err);
    // The pauses are random: which of them a watcher sees is, too. The record has them all.
    const { out } = await mpctl("op", "list", "-o", "json", "--limit", "1");
    const attempts = JSON.parse(out)[0].steps[0].attempts;
    assert.deepEqual(
      attempts.map(({ error }: { error?: { reason: string } }) => error?.reason),
      ["CLUSTER_UNREACHABLE", "CLUSTER_UNREACHABLE", undefined],
    );
  }],
  ["-o json, yaml and name are for programs", async ({ mpctl }) => {
    const json = JSON.parse((await mpctl("env", "get", "dev", "-o", "json")).out);
    assert.equal(json.name, "environments/dev");
    assert.equal(json.state, "ENVIRONMENT_STATE_READY");
    assert.match(
      (await mpctl("env", "get", "dev", "-o", "yaml")).out,
      /^name: environments\/dev$/m,
    );
    assert.equal((await mpctl("env", "list", "-o", "name")).out, "environments/dev\n");
  }],
  ["gRPC addresses work like web ones", async ({ mpctl, grpc }) => {
    const { code, out, err } = await mpctl("env", "list", "--server", grpc);
    assert.equal(code, 0, err);
    assert.match(out, /dev +READY/);
  }],
  ["what is there already exits with 6, what is not with 7", async ({ mpctl }) => {
    const taken = await mpctl("env", "create", "dev");
    assert.deepEqual([taken.code, taken.err], [
      6,
      "Error: Cannot create environment 'dev': it exists and is READY\n",
    ]);
    const none = await mpctl("env", "get", "none");
    assert.equal(none.code, 7);
    assert.match(none.err, /there is no environment 'environments\/none'/);
  }],
  ["bad input exits with 2 and names every bad field", async ({ mpctl }) => {
    const { code, err } = await mpctl(
      ...["workload", "deploy", "Bad", "--env", "dev", "--image", "a b", "--replicas", "-1"],
      ...["--port", "99999", "--cpu", "12xyz"],
    );
    assert.equal(code, 2);
    for (const field of ["workload_id", "image", "replicas", "ports[0].port", "resources.cpu"]) {
      assert.ok(err.includes(field), `names ${field}: ${err}`);
    }
    assert.doesNotMatch(err, / at .*:\d+:\d+/, "no stack trace");
  }],
  ["wrong usage exits with 2, with a suggestion", async ({ mpctl }) => {
    for (
      const args of [
        ["env", "crate"],
        ["env", "get"],
        ["env", "list", "--outptu", "x"],
        [
          "env",
          "create",
          "x",
          "--ttl",
          "soon",
        ],
        ["env", "list", "-o", "xml"],
        ["env", "list", "--server", "nonsense"],
        // Flags that say the opposite of each other.
        ["env", "create", "x", "--no-wait", "--timeout", "3s"],
        ["env", "create", "x", "--dry-run", "--no-wait"],
        ["workload", "list", "--all-envs", "--env", "dev"],
        ["env", "update", "dev", "--protect", "--no-protect"],
        ["env", "update", "dev", "--label", "a=1", "--remove-label", "a"],
        // Of what there is none to show, and what kubectl means otherwise.
        ["env", "list", "--limit", "0"],
        ["workload", "logs", "web", "--env", "dev", "--tail", "-1"],
        ["workload", "rollback", "web", "--env", "dev", "--to", "0"],
        // Operations have no labels.
        ["op", "list", "-l", "team=web"],
        ["event", "watch", "--only-new", "--resume", "x"],
        ["apply", "-f", "x.yaml", "-l", "team=web"],
      ]
    ) {
      const { code, err } = await mpctl(...args);
      assert.equal(code, 2, `${args.join(" ")}: ${err}`);
    }
    assert.match((await mpctl("env", "crate")).err, /Did you mean create/);
    assert.match((await mpctl("get", "envs")).err, /Did you mean 'mpctl env get'\?/);
  }],
  [
    "an id that is too short for one operation is a mistake, not an operation that is gone",
    async ({ mpctl }) => {
      const { out } = await mpctl("op", "list", "-o", "name");
      const [id = ""] = out.split("\n").map((name) => name.slice("operations/".length));
      // All ids begin with the time that they were made at.
      const { code, err } = await mpctl("op", "get", id.slice(0, 4));
      assert.equal(code, 2, err);
      assert.match(err, /more than one has such an id\nType more of it/);
      assert.equal((await mpctl("op", "get", "ffff")).code, 7);
    },
  ],
  ["what comes one after the other is a YAML document each", async ({ mpctl }) => {
    const args = ["deploy", "chatty", "--env", "dev", "--image", "nginx:1.27", "--replicas", "2"];
    assert.equal((await mpctl("workload", ...args)).code, 0);
    const { out } = await mpctl("workload", "logs", "chatty", "--env", "dev", "-o", "yaml");
    const lines = parseAllDocuments(out).map((document) => document.toJS());
    assert.ok(lines.length >= 2, `a document for each line, not: ${out}`);
    assert.ok(lines.every(({ text }) => typeof text === "string"));
    assert.equal((await mpctl("workload", "delete", "chatty", "--env", "dev")).code, 0);
  }],
  ["version is told to programs too", async ({ mpctl }) => {
    const { code, out, err } = await mpctl("version", "--all", "-o", "json");
    assert.equal(code, 0, err);
    const { mpctl: own, server } = JSON.parse(out);
    assert.match(own.version, /^\d+\.\d+\.\d+/);
    assert.deepEqual([server.engine, server.storage, server.provider], [
      "embedded",
      "memory",
      "simulated",
    ]);
  }],
  [
    "a file with an unknown field, or that is no YAML, is refused with its place",
    async ({ mpctl, directory }) => {
      const path = join(directory, "spec.yaml");
      await writeFile(path, "spec:\n  image: nginx\n  colour: red\n");
      const unknown = await mpctl("workload", "deploy", "w", "--env", "dev", "-f", path);
      assert.equal(unknown.code, 2);
      assert.match(unknown.err, /line 3, column 3: there is no field 'colour'/);
      await writeFile(path, "spec:\n  image: [nginx\n");
      const broken = await mpctl("workload", "deploy", "w", "--env", "dev", "-f", path);
      assert.equal(broken.code, 2);
      assert.match(broken.err, /line \d+, column \d+/);
    },
  ],
  ["a file deploys", async ({ mpctl, directory }) => {
    const path = join(directory, "good.yaml");
    await writeFile(
      path,
      "labels: {tier: web}\nspec:\n  image: nginx:1\n  replicas: 2\n  ports: [{port: 80}]\n",
    );
    const { code, err } = await mpctl("workload", "deploy", "filed", "--env", "dev", "-f", path);
    assert.equal(code, 0, err);
  }],
  ["--dry-run shows the plan and changes nothing", async ({ mpctl }) => {
    const args = ["--env", "dev", "--image", "nginx:1.28", "--dry-run"];
    const { code, out } = await mpctl("workload", "deploy", "web", ...args);
    assert.equal(code, 0);
    assert.match(out, /~ Deployment\/dev\/web\n +spec\.image: "nginx:1\.27" → "nginx:1\.28"/);
    assert.match(out, /Plan hash: \S+/);
    assert.match((await mpctl("workload", "get", "web", "--env", "dev")).out, /nginx:1\.27/);
  }],
  ["deploy changes what is given, and --replace all else too", async ({ mpctl }) => {
    const deploy = (...args: string[]) =>
      mpctl("workload", "deploy", "kept", "--env", "dev", ...args);
    const spec = async () =>
      JSON.parse((await mpctl("workload", "get", "kept", "--env", "dev", "-o", "json")).out).spec;
    const given = ["--replicas", "2", "--port", "80", "--var", "A=1", "--cpu", "100m"];
    assert.equal((await deploy("--image", "nginx:1", ...given)).code, 0);
    const before = await spec();
    assert.equal((await deploy("--image", "nginx:2", "--memory", "64Mi", "--var", "B=2")).code, 0);
    assert.deepEqual(await spec(), {
      ...before,
      image: "nginx:2",
      env: { A: "(redacted)", B: "(redacted)" },
      resources: { cpu: "100m", memory: "64Mi" },
    });
    assert.equal((await deploy("--image", "nginx:3", "--replace")).code, 0);
    const { ports, env, replicas } = await spec();
    assert.deepEqual({ ports, env, replicas }, { ports: undefined, env: undefined, replicas: 1 });
    assert.equal((await mpctl("workload", "delete", "kept", "--env", "dev")).code, 0);
  }],
  ["scale, history, diff and rollback", async ({ mpctl }) => {
    assert.equal(
      (await mpctl("workload", "scale", "web", "--env", "dev", "--replicas", "3")).code,
      0,
    );
    const history = await mpctl("workload", "history", "web", "--env", "dev");
    assert.match(history.out, /^2 +yes .*\n1 +no /m);
    const diff = await mpctl("workload", "diff", "web", "1", "2", "--env", "dev");
    assert.deepEqual([diff.code, diff.out], [8, "- replicas: 2\n+ replicas: 3\n"]);
    assert.equal((await mpctl("workload", "rollback", "web", "--env", "dev")).code, 0);
    assert.match((await mpctl("workload", "get", "web", "--env", "dev")).out, /2\/2 .* 3 /);
  }],
  ["pods and events show what the cluster has, reconcile applies it anew", async ({ mpctl }) => {
    const pods = await mpctl("workload", "pods", "web", "--env", "dev");
    assert.match(
      pods.out,
      /^NAME +READY +STATUS +RESTARTS +NODE .*\nweb-\S+ +yes +Running +0 +node-/,
    );
    const events = await mpctl("workload", "events", "web", "--env", "dev", "-o", "json");
    const [first] = JSON.parse(events.out);
    assert.deepEqual([first.reason, /^Pod\/dev\/web-/.test(first.object)], ["Scheduled", true]);
    assert.equal((await mpctl("workload", "reconcile", "web", "--env", "dev")).code, 0);
    assert.equal((await mpctl("workload", "pods", "nobody", "--env", "dev")).code, 7);
  }],
  ["--no-wait returns at once, op watch follows, op cancel undoes", async ({ mpctl }) => {
    const args = ["--env", "dev", "--image", "nginx:stuck", "--no-wait", "-o", "name"];
    const { out } = await mpctl("workload", "deploy", "slow", ...args);
    const id = out.trim().slice("operations/".length);
    const dry = await mpctl("op", "cancel", id, "--dry-run");
    assert.match(dry.out, /then: .*workload 'slow' and all it had are gone/);
    const timeout = await mpctl("op", "watch", id, "--timeout", "100ms");
    assert.equal(timeout.code, 5, timeout.err);
    assert.equal((await mpctl("op", "cancel", id, "--reason", "tested")).code, 0);
    assert.equal((await mpctl("op", "watch", id)).code, 4, "what is already over ends at once");
    assert.equal((await mpctl("workload", "get", "slow", "--env", "dev")).code, 7);
    assert.match((await mpctl("op", "get", id.slice(-8))).out, /CANCELLED/);
  }],
  ["env update, extend and keep", async ({ mpctl }) => {
    assert.equal((await mpctl("env", "update", "dev", "--protect", "--max-cpu", "4")).code, 0);
    const refused = await mpctl("env", "delete", "dev", "--force");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /it is protected/);
    assert.equal((await mpctl("env", "update", "dev", "--ttl", "2h")).code, 0);
    const extended = await mpctl("env", "extend", "dev", "30m", "-o", "name");
    assert.equal(extended.code, 0, extended.err);
    assert.match((await mpctl("env", "get", "dev")).out, / 2h(29|30)m? /);
    assert.equal((await mpctl("env", "keep", "dev")).code, 0);
    const forever = await mpctl("env", "extend", "dev", "30m");
    assert.deepEqual([forever.code, forever.err], [
      1,
      "Error: Cannot extend 'dev': it never expires\n",
    ]);
    const wide = await mpctl("env", "get", "dev", "-o", "wide");
    assert.match(wide.out, /dev +READY +- +team=web +\S+ +yes +default +cpu=4/);
    assert.equal((await mpctl("env", "update", "dev", "--no-protect")).code, 0);
  }],
  ["a quota that would be exceeded refuses", async ({ mpctl }) => {
    const args = ["--env", "dev", "--image", "nginx:1", "--cpu", "3", "--replicas", "2"];
    const { code, err } = await mpctl("workload", "deploy", "big", ...args);
    assert.equal(code, 1);
    assert.match(err, /would use 6 of cpu, its quota is 4/);
  }],
  ["doctor finds nothing wrong", async ({ mpctl }) => {
    const { code, out } = await mpctl("doctor");
    assert.equal(code, 0, out);
  }],
  ["env delete needs --force where there are workloads", async ({ mpctl }) => {
    const refused = await mpctl("env", "delete", "dev");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /it has \d+ workloads; delete them first, or use --force/);
    const { code, err } = await mpctl("env", "delete", "dev", "--force");
    assert.equal(code, 0, err);
    assert.equal((await mpctl("env", "delete", "dev", "--ignore-not-found")).code, 0);
  }],
  ["every command has help with examples, and the exit codes are documented", async ({ mpctl }) => {
    assert.match((await mpctl("--help")).out, /Exit codes:\n +0 +ok/);
    for (const args of [["env", "create"], ["workload", "deploy"], ["op", "cancel"], ["doctor"]]) {
      const { code, out } = await mpctl(...args, "--help");
      assert.equal(code, 0);
      assert.match(out, /Examples:\n +mpctl /);
    }
  }],
];

testMpctl("mpctl", CASES);

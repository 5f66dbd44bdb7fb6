/** Wrong usage: mpctl's messages and exit codes. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Cases, testMpctl } from "./mpctl_world.ts";

const CASES: Cases = [
  ["(two environments are there)", async ({ mpctl }) => {
    for (const id of ["dev", "test"]) assert.equal((await mpctl("env", "create", id)).code, 0);
  }],
  ["a resource that exists exits with 6, a missing one with 7", async ({ mpctl }) => {
    const taken = await mpctl("env", "create", "dev");
    assert.deepEqual([taken.code, taken.err], [
      6,
      "Error: Cannot create environment 'dev': it exists and is READY\n" +
      "Choose another name, or change it with 'mpctl env update'\n",
    ]);
    const none = await mpctl("env", "get", "none");
    assert.equal(none.code, 7);
    assert.match(none.err, /there is no environment 'environments\/none'/);
  }],
  ["bad input exits with 2 and names every invalid field", async ({ mpctl }) => {
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
        ["env", "create", "x", "--ttl", "soon"],
        ["env", "list", "-o", "xml"],
        ["env", "list", "--server", "nonsense"],
        // Contradictory flags.
        ["env", "create", "x", "--no-wait", "--timeout", "3s"],
        ["env", "create", "x", "--dry-run", "--no-wait"],
        ["workload", "list", "--all-envs", "--env", "dev"],
        ["env", "update", "dev", "--protect", "--no-protect"],
        ["env", "update", "dev", "--label", "a=1", "--remove-label", "a"],
        // An empty limit, and flags that kubectl uses differently.
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
    "an id that is too short is a usage error, not a missing operation",
    async ({ mpctl }) => {
      const { out } = await mpctl("op", "list", "-o", "name");
      const [id = ""] = out.split("\n").map((name) => name.slice("operations/".length));
      // All ids begin with their time of creation.
      const { code, err } = await mpctl("op", "get", id.slice(0, 4));
      assert.equal(code, 2, err);
      assert.match(err, /more than one has such an id\nType more of it/);
      assert.equal((await mpctl("op", "get", "ffff")).code, 7);
    },
  ],
  [
    "a file with an unknown field, or with invalid YAML, is rejected with its place",
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
  [
    "an empty value, as of a variable that is not set, is never taken for no value",
    async (world) => {
      const { mpctl } = world;
      for (
        const args of [
          ["env", "update", "dev", "--label", "a=1", "--etag", ""],
          ["env", "update", "dev", "--label", "a=1", "--plan-hash", ""],
          ["env", "create", "fresh", "--cluster", ""],
          ["env", "create", "fresh", "--ttl", ""],
          ["workload", "list", "--env", ""],
          ["workload", "logs", "web", "--env", "dev", "--replica", ""],
          ["event", "watch", "--target", "", "--timeout", "1s"],
          ["event", "watch", "--resume", "", "--timeout", "1s"],
          ["env", "list", "--profile", ""],
          ["env", "delete", ""],
        ]
      ) {
        const { code, err } = await mpctl(...args);
        assert.equal(code, 2, `${args.join(" ")}: ${err}`);
      }
      assert.equal((await mpctl("env", "get", "dev", "-o", "jsonpath=$.labels.a")).out.trim(), "");
      assert.equal((await mpctl("env", "get", "fresh")).code, 7);
    },
  ],
  ["flags and files that contradict the command, or have no effect, are refused", async (world) => {
    const { mpctl, directory } = world;
    const path = join(directory, "other.yaml");
    await writeFile(path, "name: environments/test/workloads/api\nspec: {image: nginx:1}\n");
    const environment = join(directory, "environment.yaml");
    await writeFile(environment, "name: environments/prod\n");
    const both = join(directory, "both.yaml");
    await writeFile(both, 'name: environments/a\nttl: 60s\nexpireTime: "2030-01-01T00:00:00Z"\n');
    for (
      const [args, message] of [
        [
          ["workload", "deploy", "web", "--env", "dev", "-f", path],
          /it is about 'environments\/test/,
        ],
        [["env", "create", "fresh", "-f", environment], /it is about 'environments\/prod'/],
        [["apply", "-f", both], /both 'ttl' and 'expireTime'/],
        [["workload", "get", "environments/test/workloads/x", "--env", "dev"], /in another one/],
        [["env", "get", "dev", "--timeout", "1s"], /--timeout without --watch/],
        [["op", "get", "0000", "--timeout", "1s"], /--timeout without --watch/],
        [["workload", "logs", "web", "--env", "dev", "--timeout", "1s"], /without --follow/],
        [["env", "delete", "dev", "--abandon", "--deadline", "1m"], /cannot be used with/],
        [["event", "watch", "-o", "name", "--timeout", "5s"], /has no name/],
        [["version", "-o", "name"], /has no name/],
      ] as const
    ) {
      const { code, err } = await mpctl(...args);
      assert.equal(code, 2, `${args.join(" ")}: ${err}`);
      assert.match(err, message);
    }
    assert.equal((await mpctl("env", "get", "fresh")).code, 7);
  }],
  ["a plan replaces an earlier plan, and no other file", async ({ mpctl, directory }) => {
    const path = join(directory, "planned.yaml");
    const text = "name: environments/planned\n";
    await writeFile(path, text);
    const { code, err } = await mpctl("plan", "-f", path, "--out", path);
    assert.equal(code, 2);
    assert.match(err, /exists and is not a plan/);
    assert.equal(await readFile(path, "utf8"), text);
    const plan = join(directory, "plan.json");
    for (let times = 0; times < 2; times++) {
      assert.equal((await mpctl("plan", "-f", path, "--out", plan)).code, 0);
    }
  }],
  ["messages about deletions say what happened", async ({ mpctl }) => {
    const none = await mpctl("env", "delete", "ghost", "--ignore-not-found");
    assert.deepEqual([none.code, none.err], [
      0,
      "environments/ghost does not exist; nothing was deleted\n",
    ]);
    assert.equal((await mpctl("env", "create", "left")).code, 0);
    const left = await mpctl("env", "delete", "left", "--abandon");
    assert.match(left.err, /environments\/left is abandoned: its record is deleted/);
    assert.equal((await mpctl("env", "create", "gone")).code, 0);
    const json = await mpctl("env", "delete", "gone", "-o", "json");
    assert.equal(JSON.parse(json.out).state, "OPERATION_STATE_SUCCEEDED");
  }],
  ["a list that the limit shortens says so for programs too", async ({ mpctl }) => {
    const { out, err } = await mpctl("env", "list", "--limit", "1", "-o", "json");
    assert.equal(JSON.parse(out).length, 1);
    assert.match(err, /There are more than these 1/);
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

testMpctl("mpctl used incorrectly", CASES);

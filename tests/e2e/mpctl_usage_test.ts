/** Wrong usage: mpctl's messages and exit codes. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
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

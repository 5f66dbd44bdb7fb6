/** mpctl's settings: flag over environment variable over profile over default. */
import assert from "node:assert/strict";
import { lstat, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testMpctl } from "./mpctl_world.ts";

testMpctl("mpctl's settings", [
  ["without a profile the defaults apply", async ({ run }) => {
    const { out } = await run(["config", "view", "--show-origin"]);
    assert.match(out, /^SETTING +VALUE +ORIGIN\nserver +http:\/\/127\.0\.0\.1:8080 +default\n/);
    assert.match((await run(["config", "list"])).err, /No profiles/);
  }],
  ["set creates the first profile, which becomes the current one", async (world) => {
    const { run, web, directory } = world;
    assert.equal((await run(["config", "set", "server", web])).code, 0);
    const { code } = await run(["env", "create", "dev"]);
    assert.equal(code, 0, "the profile's server was used");
    const file = join(directory, "config.yaml");
    const { mode } = await stat(file);
    assert.equal(mode & 0o077, 0, "only its owner may read it");
    assert.match(await readFile(file, "utf8"), /^current: default\nprofiles:\n {2}default:\n/);
  }],
  ["the profile's environment is the default for workloads", async ({ run }) => {
    assert.equal((await run(["workload", "deploy", "web", "--image", "nginx:1"])).code, 2);
    await run(["config", "set", "environment", "dev"]);
    const deployed = await run(["workload", "deploy", "web", "--image", "nginx:1"]);
    assert.equal(deployed.code, 0, deployed.err);
    assert.equal(
      (await run(["workload", "list", "-o", "name"])).out,
      "environments/dev/workloads/web\n",
    );
  }],
  [
    "a flag overrides the environment variable, which overrides the profile",
    async ({ run, web }) => {
      await run(["config", "set", "output", "yaml"]);
      const show = ["config", "view", "--show-origin", "--no-headers"];
      const env = { MPC_OUTPUT: "json", MPC_SERVER: "http://127.0.0.1:9" };
      assert.match((await run(show)).out, /output +yaml +profile 'default' in \S+config\.yaml\n/);
      assert.match((await run(show, { env })).out, /output +json +environment MPC_OUTPUT\n/);
      const flags = await run([...show, "--server", web], { env });
      assert.match(flags.out, /server +http\S+ +flag --server\n/);
      assert.match((await run(["env", "get", "dev"])).out, /^name: environments\/dev$/m);
      assert.equal(
        JSON.parse(
          (await run(["env", "get", "dev"], {
            env: { MPC_OUTPUT: "json" },
          })).out,
        ).name,
        "environments/dev",
      );
    },
  ],
  ["profiles are switched by use, --profile and MPC_PROFILE", async ({ run }) => {
    await run(["config", "set", "output", "name", "--profile", "terse"]);
    const names = async (args: string[], env = {}) =>
      (await run(["config", "list", "--no-headers", ...args], { env })).out
        .split("\n").filter((line) => line.startsWith("*")).map((line) => line.split(/\s+/)[1]);
    assert.deepEqual(await names([]), ["default"]);
    assert.deepEqual(await names(["--profile", "terse"]), ["terse"]);
    assert.deepEqual(await names([], { MPC_PROFILE: "terse" }), ["terse"]);
    assert.equal((await run(["config", "use", "terse"])).code, 0);
    assert.deepEqual(await names([]), ["terse"]);
    const typo = await run(["config", "use", "tersse"]);
    assert.deepEqual([typo.code, typo.err], [
      7,
      "Error: Cannot find profile 'tersse'\nDid you mean 'terse'?\n",
    ]);
    assert.equal((await run(["env", "list", "--profile", "none"])).code, 2);
    assert.equal((await run(["config", "delete", "terse"])).code, 0);
    assert.deepEqual(await names([]), []);
  }],
  ["unset removes a setting", async ({ run }) => {
    assert.equal((await run(["config", "unset", "output", "--profile", "default"])).code, 0);
    const { out } = await run(["config", "view", "--profile", "default", "--show-origin"]);
    assert.match(out, /^output +table +default$/m);
  }],
  ["invalid settings and values are rejected", async ({ run }) => {
    const unknown = await run(["config", "set", "sever", "x"]);
    assert.deepEqual([unknown.code, unknown.err], [
      2,
      "Error: Cannot set 'sever': must be one of server, output, environment, ca-file, " +
      "client-certificate, client-key\n" +
      "Did you mean 'server'?\n",
    ]);
    for (const args of [["server", "nonsense"], ["output", "xml"]]) {
      assert.equal((await run(["config", "set", ...args])).code, 2);
    }
    assert.equal((await run(["config", "set", "output", "json", "--profile", "../x"])).code, 2);
    const relative = await run(["config", "set", "ca-file", "ca.pem"]);
    assert.equal(relative.code, 2);
    assert.match(relative.err, /Cannot use 'ca.pem' as ca-file of a profile: must be an absolute/);
  }],
  ["a change of the file keeps its comments, and a link to it", async ({ run, directory }) => {
    const real = join(directory, "dotfiles.yaml");
    const link = join(directory, "link.yaml");
    await writeFile(
      real,
      "# mine\ncurrent: a # the usual one\nprofiles:\n  # at work\n  a: { output: wide }\n",
    );
    await symlink(real, link);
    const env = { MPC_CONFIG: link };
    assert.equal((await run(["config", "set", "environment", "dev"], { env })).code, 0);
    const { err } = await run(["config", "delete", "a"], { env });
    assert.match(err, /Profile 'a' is deleted; no profile is current now/);
    assert.ok((await lstat(link)).isSymbolicLink());
    const text = await readFile(real, "utf8");
    assert.match(text, /^# mine\ncurrent: "" # the usual one\n/);
  }],
  ["an invalid file is rejected with every invalid key", async ({ run, directory }) => {
    const path = join(directory, "config.yaml");
    await writeFile(
      path,
      "current: gone\nversion: 1\nprofiles:\n  a: {server: nonsense, colour: red}\n  b: 7\n",
    );
    const { code, err } = await run(["env", "list"]);
    assert.equal(code, 2);
    for (
      const problem of [
        "version: unknown key (known: current, profiles)",
        "current: there is no profile 'gone' (there are: a, b)",
        "profiles.a.server: Cannot use server 'nonsense'",
        "profiles.a.colour: unknown key (known: server, output, environment, ca-file, ",
        "profiles.b: must be an object of settings",
      ]
    ) assert.ok(err.includes(`  ${problem}`), `names '${problem}': ${err}`);
    await writeFile(path, "profiles: {a: [\n");
    assert.match((await run(["config", "view"])).err, /config\.yaml': line \d+, column \d+/);
    await rm(path);
  }],
]);

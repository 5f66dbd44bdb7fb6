import assert from "node:assert/strict";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MpcError } from "@mpc/domain";
import type { WatchedFile } from "@mpc/process";
import { withFolder } from "@mpc/tests/servers/with_folder.ts";
import { openAccessFile, parseAccessFile } from "./access_file.ts";
import type { AccessSettings } from "./settings.ts";

const ROLE = "roles:\n- name: ops\n  permissions: [platform.sweep]\n";
const BOUND = "bindings:\n- role: viewer\n  principals: ['user:ann']\n";

const WRONG: readonly (readonly [title: string, text: string, message: RegExp])[] = [
  ["no content", "", /^f\.yaml:1:1: .*expected object/],
  ["no map", "- a\n", /^f\.yaml:1:1: .*expected object/],
  ["broken YAML", "roles: [\nbindings: ]]\n", /^f\.yaml:2:\d+: /],
  ["a key twice", "roles: []\nroles: []\n", /^f\.yaml:2:1: .*unique/],
  ["an unknown section", "rules: []\n", /^f\.yaml:1:1: rules: is not a field$/],
  [
    "an unknown field",
    `${BOUND}  environment: {names: [dev]}\n`,
    /^f\.yaml:4:3: bindings\[0\]\.environment: is not a field$/,
  ],
  [
    "a permission that does not exist",
    "roles:\n- name: ops\n  permissions:\n  - platform.sweep\n  - workloads.fly\n",
    /^f\.yaml:5:5: roles\[0\]\.permissions\[1\]: 'workloads\.fly' is no permission; must be /,
  ],
  [
    "all of a noun that does not exist",
    "roles:\n- {name: ops, permissions: [secrets.*]}\n",
    /^f\.yaml:2:29: roles\[0\]\.permissions\[0\]: 'secrets\.\*' is no permission/,
  ],
  [
    "a role's name",
    "roles: [{name: Ops, permissions: [audit.get]}]",
    /:1:10: roles\[0\]\.name: must/,
  ],
  [
    "a role twice",
    `${ROLE}- name: ops\n  permissions: [audit.get]\n`,
    /^f\.yaml:4:3: roles\[1\]\.name: 'ops' is there already/,
  ],
  [
    "a built-in role",
    "roles:\n- name: admin\n  permissions: [audit.get]\n",
    /^f\.yaml:2:3: roles\[0\]\.name: 'admin' is there already/,
  ],
  [
    "a role that does not exist",
    "bindings:\n- groups: [a]\n  role: owner\n",
    /^f\.yaml:3:3: bindings\[0\]\.role: 'owner' is no role; must be one of viewer, deployer/,
  ],
  [
    "a binding of nobody",
    "bindings:\n- role: viewer\n",
    /^f\.yaml:2:3: bindings\[0\]: must name principals or groups$/,
  ],
  [
    "a principal of no kind",
    "bindings:\n- role: viewer\n  principals: [ann]\n",
    /^f\.yaml:3:16: bindings\[0\]\.principals\[0\]: must be '\*', user:NAME/,
  ],
  [
    "a scope without a condition",
    `${BOUND}  environments: {}\n`,
    /^f\.yaml:4:3: bindings\[0\]\.environments: must have names or a selector/,
  ],
  [
    "a pattern in the middle",
    `${BOUND}  environments: {names: [a*b]}\n`,
    /^f\.yaml:4:26: bindings\[0\]\.environments\.names\[0\]: must be the name/,
  ],
  [
    "a pattern over more than a name",
    `${BOUND}  environments: {names: ['a/*']}\n`,
    /^f\.yaml:4:26: bindings\[0\]\.environments\.names\[0\]: must be the name/,
  ],
  [
    "a broken selector",
    `${BOUND}  environments:\n    selector: team=a,!\n`,
    /^f\.yaml:5:5: bindings\[0\]\.environments\.selector: '!' must be KEY=VALUE/,
  ],
  [
    "a quota of nothing",
    "quotas:\n- principals: ['*']\n",
    /^f\.yaml:2:3: quotas\[0\]: must have environments, operations or callsPerSecond$/,
  ],
  [
    "a quota below zero",
    "quotas:\n- principals: ['*']\n  operations: -1\n",
    /^f\.yaml:3:3: quotas\[0\]\.operations: /,
  ],
  [
    "a YAML bomb",
    `a: &a [x,x,x,x,x,x,x,x,x]\n${
      ["b", "c", "d", "e", "f", "g"].map((key, index) => {
        const before = "abcdef"[index];
        return `${key}: &${key} [${Array.from({ length: 9 }, () => `*${before}`)}]`;
      }).join("\n")
    }\n`,
    /^f\.yaml:1:1: .*alias/i,
  ],
];

for (const [title, text, message] of WRONG) {
  Deno.test(`an access file with ${title} is refused with its place`, () => {
    assert.throws(() => parseAccessFile("f.yaml", text), (error) => {
      assert.ok(error instanceof MpcError);
      assert.deepEqual([error.code, error.reason], ["INVALID_ARGUMENT", "ACCESS_FILE_INVALID"]);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("an access file gives all permissions of a noun, each once", () => {
  const text = "roles: [{name: ops, permissions: [platform.*, platform.sweep]}]";
  const { roles: [role] } = parseAccessFile("f.yaml", text);
  assert.deepEqual(role?.permissions, ["platform.diagnose", "platform.sweep", "platform.claim"]);
});

Deno.test("each example of the docs is a valid access file", async () => {
  const page = await readFile(new URL("../docs/access.md", import.meta.url), "utf8");
  const parts = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = ""]) =>
    parseAccessFile("access.md", text)
  );
  const count = (of: (part: AccessSettings) => readonly unknown[]) => parts.flatMap(of).length;
  assert.deepEqual(
    [count((it) => it.roles), count((it) => it.bindings), count((it) => it.quotas)],
    [1, 4, 2],
  );
  assert.equal(count(({ authentication }) => authentication.oidc), 1);
  assert.equal(count(({ authentication }) => authentication.serviceAccounts), 2);
});

/** Runs with a file of one role, and a way to count the roles that are in force. */
const withFile = (use: (file: WatchedFile<AccessSettings>, path: string) => Promise<void>) =>
  withFolder(async (folder) => {
    const path = join(folder, "access.yaml");
    await writeFile(path, ROLE);
    await use(await openAccessFile(path), path);
  });

Deno.test("a changed file is in force at the second look that finds it the same", () =>
  withFile(async (file, path) => {
    assert.equal(await file.look(), false);
    await writeFile(path, BOUND);
    assert.equal(await file.look(), false, "it may be half-written");
    assert.equal(await file.look(), true);
    assert.equal(file.settings.bindings.length, 1);
    assert.equal(await file.look(), false);
  }));

Deno.test("a file that is still being written is not read", () =>
  withFile(async (file, path) => {
    // Half of a binding is valid, and would give the role on every environment.
    await writeFile(path, BOUND);
    assert.equal(await file.look(), false);
    await writeFile(path, `${BOUND}  environments: {names: [dev]}\n`);
    assert.equal(await file.look(), false);
    assert.equal(file.settings.bindings.length, 0, "the old content is in force");
    assert.equal(await file.look(), true);
    assert.deepEqual(file.settings.bindings[0]?.environments?.names, ["dev"]);
  }));

Deno.test("the old content stays while the file is wrong or missing, and a repair is taken", () =>
  withFile(async (file, path) => {
    const before = file.settings;
    await writeFile(path, `${ROLE}  nonsense: 1\n`);
    for (const _ of [1, 2, 3]) assert.equal(await file.look(), false);
    assert.equal(file.settings, before);
    assert.match(file.problem?.message ?? "", /access\.yaml:4:3: roles\[0\]\.nonsense: is not/);
    await rm(path);
    assert.equal(await file.look(), false);
    assert.match(file.problem?.message ?? "", /Cannot read the access file/);
    assert.equal(file.settings, before);
    await writeFile(`${path}.new`, BOUND);
    await rename(`${path}.new`, path);
    assert.equal(await file.look(), false);
    assert.equal(await file.look(), true);
    assert.equal(file.problem, null);
    assert.equal(file.settings.bindings.length, 1);
  }));

Deno.test("a file that comes back as it was is no problem any more", () =>
  withFile(async (file, path) => {
    await rename(path, `${path}.away`);
    await file.look();
    assert.ok(file.problem);
    await rename(`${path}.away`, path);
    await file.look();
    await file.look();
    assert.equal(file.problem, null);
    assert.equal(file.settings.roles.length, 1);
  }));

Deno.test("a process does not start with a wrong file", () =>
  withFolder(async (folder) => {
    const path = join(folder, "access.yaml");
    await assert.rejects(openAccessFile(path), /Cannot read the access file '.*access\.yaml'/);
    await writeFile(path, "roles: {}\n");
    await assert.rejects(openAccessFile(path), /access\.yaml:1:1: roles: .*expected array/);
  }));

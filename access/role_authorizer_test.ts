import assert from "node:assert/strict";
import { matches, MpcError } from "@mpc/domain";
import { type Access, type Caller, PERMISSIONS } from "@mpc/services";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { aCaller } from "@mpc/tests/fakes/a_caller.ts";
import { anEnvironment, anOperation, aWorkload } from "@mpc/tests/fakes/documents.ts";
import { withFolder } from "@mpc/tests/servers/with_folder.ts";
import fc from "fast-check";
import { join } from "node:path";
import { parseAccessFile } from "./access_file.ts";
import { RoleAuthorizer } from "./role_authorizer.ts";
import { Rules } from "./rules.ts";

const ANN = "user:ann";
const ann = aCaller({ principal: ANN });

const authorizerOf = (store: Store, text: string): RoleAuthorizer => {
  const rules = new Rules(parseAccessFile("access.yaml", text));
  return new RoleAuthorizer(() => rules, store);
};

/** A store with the environments `a-1` and `a-2` of team a, and `b-1` of team b. */
async function filled(store: Store): Promise<Store> {
  for (const [id, team] of [["a-1", "a"], ["a-2", "a"], ["b-1", "b"]] as const) {
    await store.environments.create(anEnvironment(id, { labels: { team } }));
    await store.workloads.create(aWorkload(id, "web"));
    const target = `environments/${id}`;
    await store.operations.create(anOperation(`${id}-env`, { target, actor: "user:bob" }));
    await store.operations.create(
      anOperation(`${id}-web`, { target: `${target}/workloads/web`, actor: ANN }),
    );
  }
  // The environment of this operation is gone.
  const target = "environments/a-9";
  await store.operations.create(anOperation("gone", { target, actor: ANN }));
  await store.operations.create(anOperation("gone-bob", { target, actor: "user:bob" }));
  await store.operations.create(anOperation("sweep", { target: "platform", actor: "user:bob" }));
  return store;
}

async function denialOf(
  authorizer: RoleAuthorizer,
  caller: Caller,
  access: Access,
): Promise<MpcError | null> {
  try {
    await authorizer.authorize(caller, access);
    return null;
  } catch (error) {
    assert.ok(error instanceof MpcError);
    assert.deepEqual([error.code, error.reason], ["PERMISSION_DENIED", "PERMISSION_MISSING"]);
    return error;
  }
}

const env = (id: string) => `environments/${id}`;
const BINDING = "bindings:\n- role: deployer\n  principals: ['user:ann']\n";
const DEPLOY = { permission: "workloads.deploy", resource: `${env("a-1")}/workloads/web` } as const;

Deno.test("without a binding everything is denied, and the denial says what is missing and who gives it", async () => {
  const store = openMemoryStore();
  const bindings = "bindings:\n- {role: admin, principals: ['user:root'], groups: [ops]}\n" +
    "- {role: admin, groups: [team-a], environments: {names: [a-1]}}\n";
  const authorizer = authorizerOf(store, bindings);
  for (const permission of PERMISSIONS) {
    assert.ok(await denialOf(authorizer, ann, { permission, resource: null }), permission);
  }
  const denial = await denialOf(authorizer, ann, DEPLOY);
  assert.equal(
    denial?.message,
    "Cannot do this as 'user:ann': permission 'workloads.deploy' is missing in environment 'a-1'; " +
      "ask user:root or group:ops for a role that has it",
  );
  assert.deepEqual(denial.metadata, {
    permission: "workloads.deploy",
    principal: ANN,
    resource: "environments/a-1/workloads/web",
    grantedBy: "user:root,group:ops",
  });
  await assert.rejects(
    authorizer.visible(ann, "environments.get"),
    /'environments.get' is missing/,
  );
  const nobody = authorizerOf(store, "bindings: []");
  const { message = "" } = await denialOf(nobody, ann, DEPLOY) ?? {};
  assert.match(message, /ask the operators of the platform for a role/);
});

Deno.test("a role is bound to a principal, to a group or to everybody", async () => {
  const store = openMemoryStore();
  const cases: readonly (readonly [subjects: string, caller: Caller, allowed: boolean])[] = [
    ["principals: ['user:ann']", ann, true],
    ["principals: ['user:bob']", ann, false],
    ["principals: ['user:ann@x']", ann, false],
    ["groups: [dev]", aCaller({ principal: ANN, groups: ["ops", "dev"] }), true],
    ["groups: [dev]", ann, false],
    ["groups: ['user:ann']", ann, false],
    ["principals: ['user:dev']", aCaller({ principal: ANN, groups: ["user:dev", "dev"] }), false],
    ["principals: ['*']", ann, true],
    ["groups: ['*']", aCaller({ principal: ANN, groups: ["dev"] }), false],
  ];
  for (const [subjects, caller, allowed] of cases) {
    const authorizer = authorizerOf(store, `bindings: [{role: deployer, ${subjects}}]`);
    assert.equal(await denialOf(authorizer, caller, DEPLOY) === null, allowed, subjects);
  }
});

Deno.test("the platform itself is always allowed", async () => {
  const authorizer = authorizerOf(openMemoryStore(), "bindings: []");
  const janitor = aCaller({ principal: "system:janitor", kind: "system" });
  await authorizer.authorize(janitor, DEPLOY);
  assert.equal(await authorizer.visible(janitor, "workloads.get"), null);
});

Deno.test("an own role has what it lists, and no more", async () => {
  const text = "roles: [{name: scaler, permissions: [workloads.scale]}]\n" +
    "bindings: [{role: scaler, principals: ['user:ann']}]\n";
  const authorizer = authorizerOf(openMemoryStore(), text);
  for (const permission of PERMISSIONS) {
    const denial = await denialOf(authorizer, ann, { permission, resource: env("a-1") });
    assert.equal(denial === null, permission === "workloads.scale", permission);
  }
});

Deno.test("a scope by names allows what is in the environments, whether they exist or not", async () => {
  const authorizer = authorizerOf(
    await filled(openMemoryStore()),
    `${BINDING}  environments: {names: ['a-*', c]}\n`,
  );
  const allowed = ["a-1", "a-9", "c"].map((id) => `${env(id)}/workloads/web`);
  for (const resource of allowed) {
    assert.equal(await denialOf(authorizer, ann, { ...DEPLOY, resource }), null, resource);
  }
  for (const resource of [env("b-1"), env("b-9"), env("cc"), env("a"), "platform", null]) {
    assert.ok(await denialOf(authorizer, ann, { ...DEPLOY, resource }), String(resource));
  }
});

Deno.test("a foreign environment and a missing one are denied by the same words", async () => {
  for (
    const scope of ["names: ['a-*']", "selector: team=a", "{names: ['a-*'], selector: team=b}"]
  ) {
    const braces = scope.startsWith("{") ? scope : `{${scope}}`;
    const text = `${BINDING}  environments: ${braces}\n`;
    const foreign = authorizerOf(await filled(openMemoryStore()), text);
    const missing = authorizerOf(openMemoryStore(), text);
    const access = { ...DEPLOY, resource: env("b-1") };
    const [there, gone] = [
      await denialOf(foreign, ann, access),
      await denialOf(missing, ann, access),
    ];
    assert.ok(there);
    assert.deepEqual([there.message, there.metadata], [gone?.message, gone?.metadata], scope);
  }
});

Deno.test("a scope by selector goes by the labels that the environment has now", async () => {
  const store = await filled(openMemoryStore());
  const authorizer = authorizerOf(
    store,
    `${BINDING}  environments: {selector: 'team=a,!frozen'}\n`,
  );
  assert.equal(await denialOf(authorizer, ann, DEPLOY), null);
  const stored = (await store.environments.get(env("a-1")))!;
  const labels = { team: "a", frozen: "" };
  await store.environments.replace({ ...stored.value, labels }, stored.version);
  assert.ok(await denialOf(authorizer, ann, DEPLOY));
});

Deno.test("by selector, an environment is created and changed with labels that match alone", async () => {
  const role = "roles: [{name: owner, permissions: ['environments.*']}]\n";
  const authorizer = authorizerOf(
    await filled(openMemoryStore()),
    `${role}bindings: [{role: owner, principals: ['user:ann'], environments: {selector: team=a}}]`,
  );
  const create = "environments.create";
  const update = "environments.update";
  const cases: readonly (readonly [Access["permission"], string, string | null, boolean])[] = [
    [create, "new", "a", true],
    [create, "new", "b", false],
    [create, "new", null, false],
    [create, "b-1", "a", false],
    [update, "a-1", "a", true],
    [update, "a-1", "b", false],
    [update, "b-1", "a", false],
    [update, "a-1", null, true],
    [update, "new", null, false],
  ];
  for (const [permission, id, team, allowed] of cases) {
    const access = { permission, resource: env(id), ...(team && { labels: { team } }) };
    assert.equal(
      await denialOf(authorizer, ann, access) === null,
      allowed,
      `${permission} ${id} ${team}`,
    );
  }
});

Deno.test("two bindings allow to move an environment between their selectors", async () => {
  const role = "roles: [{name: owner, permissions: ['environments.*']}]\n";
  const authorizer = authorizerOf(
    await filled(openMemoryStore()),
    `${role}bindings:
- {role: owner, principals: ['user:ann'], environments: {selector: team=a}}
- {role: owner, principals: ['user:ann'], environments: {selector: team=b}}`,
  );
  const access = { permission: "environments.update", resource: env("a-1") } as const;
  assert.equal(await denialOf(authorizer, ann, { ...access, labels: { team: "b" } }), null);
  assert.ok(await denialOf(authorizer, ann, { ...access, labels: { team: "c" } }));
});

Deno.test("a scoped role gives no permission on the platform as a whole", async () => {
  const text = "bindings: [{role: admin, principals: ['user:ann'], environments: {names: ['*']}}]";
  const authorizer = authorizerOf(openMemoryStore(), text);
  for (const permission of PERMISSIONS) {
    const denial = await denialOf(authorizer, ann, { permission, resource: env("a-1") });
    const scoped = /^(?:environments|workloads|operations)\./.test(permission);
    assert.equal(denial === null, scoped, permission);
  }
});

Deno.test("what may be done is explained to those who ask", async () => {
  const authorizer = authorizerOf(
    openMemoryStore(),
    `${BINDING}  environments: {names: [a-1], selector: team=a}\n- {role: admin, groups: [ops]}\n`,
  );
  assert.deepEqual(await authorizer.check(ann, DEPLOY), {
    allowed: false,
    reason: "permission 'workloads.deploy' is missing in environment 'a-1'",
    grantedBy: ["group:ops"],
  });
  assert.deepEqual(await authorizer.check({ principal: ANN, groups: ["ops"] }, DEPLOY), {
    allowed: true,
    reason: "role 'admin', bound to group:ops, allows it",
    grantedBy: [],
  });
  const [grant, ...more] = authorizer.grants(ann);
  assert.deepEqual([grant?.role, grant?.subject, more], ["deployer", ANN, []]);
  assert.deepEqual(grant?.environments, { names: ["a-1"], selector: "team=a" });
});

/** Scopes of random bindings, as YAML. */
const SCOPE = fc.record({
  names: fc.option(fc.subarray(["a-*", "a-1", "b-1", "*", "c-*"], { minLength: 1 })),
  selector: fc.option(
    fc.constantFrom("team=a", "team!=a", "team in (a,b)", "!team", "team", "team notin (b)"),
  ),
}).map(({ names, selector }) => {
  const parts = [
    ...(names ? [`names: [${names.map((name) => `'${name}'`)}]`] : []),
    ...(selector ? [`selector: '${selector}'`] : []),
  ];
  return parts.length > 0 ? `, environments: {${parts.join(", ")}}` : "";
});

/** Checks that lists show exactly what may be read one by one. */
async function assertListsAgree(store: Store): Promise<void> {
  const { environments, workloads, operations } = store;
  const every = {
    "environments.get": (await environments.list({ limit: 100 })).items.map(({ value }) => value),
    "workloads.get": (await workloads.list({ limit: 100 })).items.map(({ value }) => value),
    "operations.get": (await operations.list({ limit: 100 })).items.map(({ value }) => value),
  };
  const lists = {
    "environments.get": environments,
    "workloads.get": workloads,
    "operations.get": operations,
  };
  await fc.assert(
    fc.asyncProperty(fc.array(SCOPE, { minLength: 1, maxLength: 12 }), async (scopes) => {
      const bindings = scopes.map((scope) => `- {role: viewer, principals: ['user:ann']${scope}}`);
      const authorizer = authorizerOf(store, `bindings:\n${bindings.join("\n")}\n`);
      for (const permission of ["environments.get", "workloads.get", "operations.get"] as const) {
        const readable: string[] = [];
        for (const document of every[permission]) {
          const access = "target" in document
            ? { resource: document.target, actor: document.actor }
            : { resource: document.name };
          const denial = await denialOf(authorizer, ann, { permission, ...access });
          if (denial === null) readable.push(document.name);
        }
        const filter = await authorizer.visible(ann, permission);
        const { items } = await lists[permission].list({ limit: 100, ...(filter && { filter }) });
        assert.deepEqual(items.map(({ value }) => value.name), readable, permission);
        const watched = every[permission].filter((it) => filter === null || matches(filter, it));
        assert.deepEqual(watched.map(({ name }) => name), readable, `${permission} in a watch`);
      }
    }),
    { numRuns: 60 },
  );
}

Deno.test("lists and watches show exactly what may be read, in memory", async () => {
  await assertListsAgree(await filled(openMemoryStore()));
});

Deno.test("lists and watches show exactly what may be read, in SQLite", () =>
  withFolder(async (folder) => {
    const store = openSqliteStore({ path: join(folder, "mpc.db") });
    try {
      await assertListsAgree(await filled(store));
    } finally {
      await store.close();
    }
  }));

Deno.test("a principal with a wildcard sees no operations of others", async () => {
  const store = await filled(openMemoryStore());
  const star = aCaller({ principal: "user:*" });
  const text = "bindings: [{role: viewer, principals: ['*'], environments: {selector: team=c}}]";
  const filter = await authorizerOf(store, text).visible(star, "operations.get");
  assert.ok(filter);
  assert.equal(await store.operations.count({ filter }), 0);
});

Deno.test("a selector over very many environments is a list that stores can run, up to a limit", () =>
  withFolder(async (folder) => {
    const store = openSqliteStore({ path: join(folder, "mpc.db") });
    try {
      const authorizer = authorizerOf(store, `${BINDING}  environments: {selector: team=a}\n`);
      const create = (index: number) =>
        store.environments.create(anEnvironment(`many-${index}`, { labels: { team: "a" } }));
      await Promise.all(Array.from({ length: 1_000 }, (_, index) => create(index)));
      await store.workloads.create(aWorkload("many-777", "web"));
      await store.workloads.create(aWorkload("other", "web"));
      const filter = await authorizer.visible(ann, "workloads.get");
      assert.ok(filter);
      assert.equal(await store.workloads.count({ filter }), 1);
      await create(1_000);
      await assert.rejects(authorizer.visible(ann, "workloads.get"), {
        reason: "TOO_MANY_ENVIRONMENTS",
        retryable: false,
      });
    } finally {
      await store.close();
    }
  }));

Deno.test("each limit is that of the first quota that names the principal and has it", () => {
  const rules = new Rules(parseAccessFile(
    "access.yaml",
    `quotas:
- {principals: ['user:ann'], environments: 1}
- {groups: [ci], operations: 2, environments: 9}
- {principals: ['*'], operations: 3, callsPerSecond: 4}
`,
  ));
  const limits = (principal: string, ...groups: string[]) =>
    Object.values(rules.limitsOf({ principal, groups }));
  assert.deepEqual(limits("user:ann"), [1, 3, 4]);
  assert.deepEqual(limits("user:ann", "ci"), [1, 2, 4]);
  assert.deepEqual(limits("user:bob"), [null, 3, 4]);
});

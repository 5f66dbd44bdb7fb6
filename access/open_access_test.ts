/** What a changing access file does to what goes on. */
import assert from "node:assert/strict";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { environmentName, isMpcError } from "@mpc/domain";
import {
  createEnvironment,
  environmentEvent,
  listEnvironments,
  type ServiceDeps,
  watchEvents,
} from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { aCaller } from "@mpc/tests/fakes/a_caller.ts";
import { Platform } from "@mpc/tests/fakes/platform.ts";
import { rejectsWith } from "@mpc/tests/fakes/rejects.ts";
import { withFolder } from "@mpc/tests/servers/with_folder.ts";
import { openAccessFile, parseAccessFile } from "./access_file.ts";
import { rulesOf } from "./open_access.ts";
import { RoleAuthorizer } from "./role_authorizer.ts";

const ann = aCaller({ principal: "user:ann" });

const bound = (role: string, environments = "") =>
  `bindings:\n- role: ${role}\n  principals: ['user:ann']\n${environments}`;

const onNames = (names: string) => bound("viewer", `  environments:\n    names: ['${names}']\n`);

const NOBODY = "bindings: []\n";

Deno.test("while a file is rewritten under load, each decision is by the old or the new one", () =>
  withFolder(async (folder) => {
    const path = join(folder, "access.yaml");
    await writeFile(path, onNames("a-*"));
    const file = await openAccessFile(path);
    const authorizer = new RoleAuthorizer(rulesOf(file), openMemoryStore());
    const decide = async (resource: string | null) => {
      const { allowed } = await authorizer.check(ann, { permission: "workloads.get", resource });
      return allowed;
    };
    const load = () =>
      Promise.all(Array.from({ length: 50 }, async () => {
        const [a, b, other, all] = await Promise.all([
          decide("environments/a-1"),
          decide("environments/b-1"),
          decide("environments/c-1"),
          decide(null),
        ]);
        assert.notEqual(a, b, "one of both files is in force");
        assert.ok(!other && !all, "no half of a file is in force");
      }));
    for (const [pattern, resource] of [["b-*", "environments/b-1"], ["a-*", "environments/a-1"]]) {
      const text = onNames(pattern!);
      const handle = await open(path, "w");
      for (let at = 0; at < text.length; at += 5) {
        await handle.write(text.slice(at, at + 5));
        await Promise.all([file.look(), load()]);
      }
      await handle.close();
      await Promise.all([load(), file.look(), load()]);
      await Promise.all([load(), file.look(), load()]);
      assert.ok(await decide(resource!), `${pattern} is in force in the end`);
    }
  }));

/** The dependencies of use cases with rules that a test replaces. */
function withRules(deps: ServiceDeps, text: string) {
  const file = { settings: parseAccessFile("access.yaml", text) };
  return {
    deps: { ...deps, authorizer: new RoleAuthorizer(rulesOf(file), deps.store) },
    replace(text: string) {
      file.settings = parseAccessFile("access.yaml", text);
    },
  };
}

Deno.test("an admitted operation ends as it was decided, though the role is taken away", async () => {
  const platform = await Platform.start();
  const { deps, replace } = withRules(platform.deps, bound("admin"));
  const request = { environmentId: "dev", environment: {} };
  const admitted = await createEnvironment(deps, ann, request);
  replace(NOBODY);
  const { state, actor } = await platform.ended(admitted);
  assert.deepEqual([state, actor], ["SUCCEEDED", "user:ann"]);
  const again = { ...request, environmentId: "dev2" };
  await rejectsWith(createEnvironment(deps, ann, again), "PERMISSION_DENIED", "PERMISSION_MISSING");
  await platform.crash();
});

Deno.test("a page token of what was visible shows nothing after the role is taken away", async () => {
  const platform = await Platform.start();
  const { deps, replace } = withRules(platform.deps, bound("admin"));
  for (const environmentId of ["a-1", "a-2", "b-1"]) {
    await platform.ended(await createEnvironment(deps, ann, { environmentId, environment: {} }));
  }
  const page = { pageSize: 1, pageToken: "", filter: "", orderBy: "" };
  const { nextPageToken: pageToken } = await listEnvironments(deps, ann, page);
  replace(onNames("b-*"));
  const { items } = await listEnvironments(deps, ann, { ...page, pageToken });
  assert.deepEqual(items.map(({ value }) => value.name), ["environments/b-1"]);
  replace(NOBODY);
  const next = listEnvironments(deps, ann, { ...page, pageToken });
  await rejectsWith(next, "PERMISSION_DENIED", "PERMISSION_MISSING");
  await platform.crash();
});

Deno.test("a watch shows what the caller may see at each moment, and ends with the role", async () => {
  const platform = await Platform.start();
  const { store } = platform;
  const selector = "  environments: {selector: team=a}\n";
  const { deps, replace } = withRules(platform.deps, bound("viewer", selector));
  const root = aCaller();
  const create = async (environmentId: string, team: string) => {
    const environment = { labels: { team } };
    const allowed = { ...deps, authorizer: platform.deps.authorizer };
    await platform.ended(await createEnvironment(allowed, root, { environmentId, environment }));
  };
  const touch = async (id: string) => {
    const stored = (await store.environments.get(environmentName(id)))!;
    const next = { value: stored.value, version: stored.version + 1 };
    const facts = { reason: "Ready" as const, message: "", operation: null, actor: "", time: 1 };
    const options = { events: [environmentEvent(next, facts)] };
    await store.environments.replace(stored.value, stored.version, options);
  };
  const request = { target: "", kinds: [], resumeToken: "", skipExisting: false };
  const seen = new Set<string>();
  let isReplaced = false;
  try {
    for await (const batch of watchEvents(deps, ann, request)) {
      for (const watched of batch) {
        if (watched.type === "synced") {
          // They begin to exist after the watch does.
          await create("b-1", "b");
          await create("a-1", "a");
        }
        if (watched.type === "event") seen.add(watched.event.target);
      }
      if (!seen.has("environments/a-1") || isReplaced) continue;
      isReplaced = true;
      replace(NOBODY);
      await touch("a-1");
    }
    assert.fail("the watch ends with an error");
  } catch (error) {
    assert.ok(isMpcError(error, "PERMISSION_DENIED"), String(error));
  }
  assert.deepEqual([...seen].filter((name) => name.includes("b-1")), []);
  await platform.crash();
});

/** Lists: how much is answered, in which order, and what filters find. */
import assert from "node:assert/strict";
import type { Environment } from "@mpc/domain";
import { listEnvironments } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { anEnvironment } from "../fakes/documents.ts";
import { Platform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";

const ALL = { pageSize: 0, pageToken: "", filter: "", orderBy: "" };

/** Lists of these environments, which no operation has made. */
async function listOf(environments: readonly Environment[]) {
  const store = openMemoryStore();
  const platform = await Platform.start({ store });
  for (const environment of environments) await store.environments.create(environment);
  await platform.crash();
  return async (request: Partial<typeof ALL>) => {
    const { items } = await listEnvironments(platform.deps, platform.caller, {
      ...ALL,
      ...request,
    });
    return items.map(({ value }) => value.name.slice("environments/".length));
  };
}

Deno.test("page_size is 50 where it is not given, and never more than 1000", async () => {
  const ids = Array.from({ length: 1_001 }, (_, n) => `e${n}`);
  const list = await listOf(ids.map((id) => anEnvironment(id)));
  const rows = [[0, 50], [1, 1], [999, 999], [1_000, 1_000], [2 ** 31 - 1, 1_000]] as const;
  for (const [pageSize, answered] of rows) {
    assert.equal((await list({ pageSize })).length, answered, `page_size ${pageSize}`);
  }
  const { violations } = await rejectsWith(
    list({ pageSize: -1 }),
    "INVALID_ARGUMENT",
    "INVALID_FIELDS",
  );
  assert.deepEqual(violations.map(({ field }) => field), ["page_size"]);
});

Deno.test("order_by orders, the name decides among equals, and unknown fields are refused", async () => {
  const list = await listOf([
    anEnvironment("b", { createTime: 2 }),
    anEnvironment("a", { createTime: 2 }),
    anEnvironment("c", { createTime: 1 }),
  ]);
  assert.deepEqual(await list({}), ["a", "b", "c"]);
  assert.deepEqual(await list({ orderBy: "create_time" }), ["c", "a", "b"]);
  assert.deepEqual(await list({ orderBy: "create_time desc, name desc" }), ["b", "a", "c"]);
  await rejectsWith(list({ orderBy: "colour" }), "INVALID_ARGUMENT", "INVALID_FIELDS");
});

Deno.test("stalled finds what has failed, and stays so until somebody acts", async () => {
  const list = await listOf([
    anEnvironment("failed", { state: "UPDATE_FAILED" }),
    anEnvironment("ready"),
    anEnvironment("changing", { state: "UPDATING" }),
  ]);
  assert.deepEqual(await list({ filter: "stalled = true" }), ["failed"]);
  assert.deepEqual(await list({ filter: "NOT stalled = true" }), ["changing", "ready"]);
});

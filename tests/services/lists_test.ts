/** Lists: page sizes, orders, and filters. */
import assert from "node:assert/strict";
import type { Environment } from "@mpc/domain";
import { listEnvironments } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { anEnvironment } from "../fakes/documents.ts";
import { Platform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";

const ALL = { pageSize: 0, pageToken: "", filter: "", orderBy: "" };

/** Pages of these environments, which are written without operations. */
async function pagesOf(environments: readonly Environment[]) {
  const store = openMemoryStore();
  const platform = await Platform.start({ store });
  for (const environment of environments) await store.environments.create(environment);
  await platform.crash();
  return async (request: Partial<typeof ALL>) => {
    const page = await listEnvironments(platform.deps, platform.caller, { ...ALL, ...request });
    const ids = page.items.map(({ value }) => value.name.slice("environments/".length));
    return { ids, next: page.nextPageToken };
  };
}

async function listOf(environments: readonly Environment[]) {
  const page = await pagesOf(environments);
  return async (request: Partial<typeof ALL>) => (await page(request)).ids;
}

Deno.test("page_size is 50 by default, and at most 1000", async () => {
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

Deno.test("order_by sorts, names break ties, and unknown fields are rejected", async () => {
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

Deno.test("stalled finds failed resources, which stay so until somebody acts", async () => {
  const list = await listOf([
    anEnvironment("failed", { state: "UPDATE_FAILED" }),
    anEnvironment("ready"),
    anEnvironment("changing", { state: "UPDATING" }),
  ]);
  assert.deepEqual(await list({ filter: "stalled = true" }), ["failed"]);
  assert.deepEqual(await list({ filter: "NOT stalled = true" }), ["changing", "ready"]);
});

Deno.test("page tokens lead through a list once, and the last page has none", async () => {
  const page = await pagesOf(["a", "b", "c", "d", "e"].map((id) => anEnvironment(id)));
  const first = await page({ pageSize: 2 });
  const second = await page({ pageSize: 2, pageToken: first.next });
  const third = await page({ pageSize: 2, pageToken: second.next });
  assert.deepEqual([first.ids, second.ids, third.ids], [["a", "b"], ["c", "d"], ["e"]]);
  assert.equal(third.next, "");
  const whole = await page({ pageSize: 5 });
  assert.equal(whole.next, "", "a full page may be the last");
});

Deno.test("a page token of another filter or order is rejected, and so is a modified one", async () => {
  const page = await pagesOf(["a", "b", "c"].map((id) => anEnvironment(id)));
  const { next: pageToken } = await page({ pageSize: 1, orderBy: "create_time" });
  const [query, , name] = JSON.parse(decodeURIComponent(atob(pageToken)));
  const fewer = btoa(encodeURIComponent(JSON.stringify([query, [], name])));
  const refused: readonly Partial<typeof ALL>[] = [
    { pageToken },
    { pageToken, orderBy: "create_time desc" },
    { pageToken, orderBy: "create_time", filter: "state = READY" },
    { pageToken: fewer, orderBy: "create_time" },
    { pageToken: "x", orderBy: "create_time" },
  ];
  for (const request of refused) {
    const { violations } = await rejectsWith(page(request), "INVALID_ARGUMENT", "INVALID_FIELDS");
    assert.deepEqual(violations.map(({ field }) => field), ["page_token"]);
  }
});

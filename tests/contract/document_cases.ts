import assert from "node:assert/strict";
import type { Environment } from "@mpc/domain";
import type { Cursor, Store, Stored } from "@mpc/storage";
import { anEnvironment, anEvent, anOperation } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import type { StoreCase } from "./store_case.ts";

/** What every store does with documents, whatever it is made of. */
export const DOCUMENT_CASES: Readonly<Record<string, StoreCase>> = {
  "create() adds a document with version 1, get() reads it": async ({ store }) => {
    const dev = anEnvironment("dev");
    assert.deepEqual(await store.environments.create(dev), { value: dev, version: 1 });
    assert.deepEqual(await store.environments.get(dev.name), { value: dev, version: 1 });
    assert.equal(await store.environments.get("environments/none"), undefined);
  },
  "create() refuses a name that is taken": async ({ store }) => {
    await store.environments.create(anEnvironment("dev"));
    const again = store.environments.create(anEnvironment("dev"));
    await rejectsWith(again, "ALREADY_EXISTS", "NAME_TAKEN");
  },
  "replace() swaps the version it was given and no other": async ({ store }) => {
    await store.environments.create(anEnvironment("dev"));
    const next = anEnvironment("dev", { state: "UPDATING" });
    assert.equal((await store.environments.replace(next, 1)).version, 2);
    await rejectsWith(store.environments.replace(next, 1), "ABORTED", "VERSION_CONFLICT");
    const gone = store.environments.replace(anEnvironment("none"), 1);
    await rejectsWith(gone, "NOT_FOUND", "NO_SUCH_DOCUMENT");
  },
  "delete() removes the version it was given and no other": async ({ store }) => {
    const { name } = (await store.environments.create(anEnvironment("dev"))).value;
    await rejectsWith(store.environments.delete(name, 7), "ABORTED", "VERSION_CONFLICT");
    await store.environments.delete(name, 1);
    assert.equal(await store.environments.get(name), undefined);
    await rejectsWith(store.environments.delete(name, 1), "NOT_FOUND", "NO_SUCH_DOCUMENT");
    assert.equal((await store.environments.create(anEnvironment("dev"))).version, 1);
  },
  "of 100 parallel writers exactly one wins each version": async ({ store }) => {
    await store.environments.create(anEnvironment("dev"));
    for (let version = 1; version <= 5; version++) {
      const writers = Array.from(
        { length: 100 },
        (_, writer) =>
          store.environments.replace(anEnvironment("dev", { generation: writer }), version),
      );
      const results = await Promise.allSettled(writers);
      const won = results.filter((result) => result.status === "fulfilled");
      assert.equal(won.length, 1, `version ${version} must have one winner`);
    }
  },
  "of 100 parallel creators of one name exactly one wins": async ({ store }) => {
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, () => store.environments.create(anEnvironment("dev"))),
    );
    assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
  },
  "a request id is unique for its actor, also in parallel": async ({ store }) => {
    const results = await Promise.allSettled(
      Array.from(
        { length: 50 },
        (_, index) => store.operations.create(anOperation(`op-${index}`, { requestId: "r1" })),
      ),
    );
    assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
    const taken = store.operations.create(anOperation("late", { requestId: "r1" }));
    await rejectsWith(taken, "ALREADY_EXISTS", "REQUEST_ID_TAKEN");
    await store.operations.create(anOperation("bob", { requestId: "r1", actor: "bob" }));
    const found = await store.operations.findByRequestId("bob", "r1");
    assert.equal(found?.value.name, "operations/bob");
    assert.equal(await store.operations.findByRequestId("ann", "r2"), undefined);
  },
  "a request id is free again when its operation is gone or gives it up": async ({ store }) => {
    await store.operations.create(anOperation("a", { requestId: "r1" }));
    await store.operations.delete("operations/a", 1);
    await store.operations.create(anOperation("b", { requestId: "r1" }));
    await store.operations.replace(anOperation("b"), 1);
    await store.operations.create(anOperation("c", { requestId: "r1" }));
  },
  "operations without a request id do not collide": async ({ store }) => {
    await store.operations.create(anOperation("a"));
    await store.operations.create(anOperation("b"));
  },
  "values are copied in and out": async ({ store }) => {
    const labels: Record<string, string> = { team: "web" };
    const created = await store.environments.create(anEnvironment("dev", { labels }));
    labels["team"] = "changed outside";
    Object.assign(created.value.labels, { team: "changed in the answer" });
    const read = await store.environments.get("environments/dev");
    assert.deepEqual(read?.value.labels, { team: "web" });
    Object.assign(read!.value.labels, { team: "changed in what was read" });
    const again = await store.environments.get("environments/dev");
    assert.deepEqual(again?.value.labels, { team: "web" });
  },
  "list() pages in the order of names, each document once": async ({ store }) => {
    for (const id of ["d", "a", "c", "b", "e"]) await store.environments.create(anEnvironment(id));
    const pages = await pagesOf(store, 2);
    assert.deepEqual(pages.map((page) => page.map(idOf)), [["a", "b"], ["c", "d"], ["e"]]);
  },
  "list() stays stable while others write": async ({ store }) => {
    const stable = Array.from({ length: 40 }, (_, index) => `s-${String(index).padStart(2, "0")}`);
    for (const id of stable) await store.environments.create(anEnvironment(id));
    const seen: string[] = [];
    let after: Cursor | undefined;
    for (let round = 0;; round++) {
      const page = await store.environments.list({ limit: 7, ...(after && { after }) });
      seen.push(...page.items.map(idOf));
      await store.environments.create(anEnvironment(`s-${round}x`));
      await store.environments.create(anEnvironment(`a-${round}`));
      if (!page.next) break;
      after = page.next;
    }
    const kept = seen.filter((id) => stable.includes(id));
    assert.deepEqual(kept, stable, "what was there all the time is listed exactly once, in order");
  },
  "list() orders by keys, the name breaks ties": async ({ store }) => {
    const times = { a: 3, b: 1, c: 3, d: 2 };
    for (const [id, createTime] of Object.entries(times)) {
      await store.environments.create(anEnvironment(id, { createTime }));
    }
    const orderBy = [{ path: ["createTime"], descending: true }];
    assert.deepEqual((await pagesOf(store, 1, { orderBy })).flat().map(idOf), ["c", "a", "d", "b"]);
    const up = [{ path: ["createTime"], descending: false }];
    assert.deepEqual((await pagesOf(store, 3, { orderBy: up })).flat().map(idOf), [
      "b",
      "d",
      "a",
      "c",
    ]);
  },
  "list() orders what is missing first, and pages over it": async ({ store }) => {
    const times = { a: 5, b: null, c: 1, d: null };
    for (const [id, expireTime] of Object.entries(times)) {
      await store.environments.create(anEnvironment(id, { expireTime }));
    }
    for (const descending of [false, true]) {
      const orderBy = [{ path: ["expireTime"], descending }];
      const ids = (await pagesOf(store, 1, { orderBy })).flat().map(idOf);
      assert.deepEqual(ids, descending ? ["a", "c", "d", "b"] : ["b", "d", "c", "a"]);
    }
  },
  "list() keeps to a prefix": async ({ store }) => {
    for (const id of ["dev", "dev-2", "prod"]) await store.environments.create(anEnvironment(id));
    const page = await store.environments.list({ prefix: "environments/dev", limit: 10 });
    assert.deepEqual(page.items.map(idOf), ["dev", "dev-2"]);
    assert.equal(await store.environments.count({ prefix: "environments/dev" }), 2);
  },
  "list() filters, and count() counts what passes": async ({ store }) => {
    await store.environments.create(anEnvironment("a", { labels: { team: "web" } }));
    await store.environments.create(anEnvironment("b", { state: "DELETING" }));
    const filter = { op: "=" as const, path: ["labels", "team"], value: "w*" };
    const page = await store.environments.list({ filter, limit: 10 });
    assert.deepEqual(page.items.map(idOf), ["a"]);
    assert.equal(await store.environments.count({ filter: { op: "not", term: filter } }), 1);
  },
  "an aborted call does nothing": async ({ store }) => {
    const signal = AbortSignal.abort();
    const { environments, events } = store;
    const created = environments.create(anEnvironment("dev"), { signal, events: [anEvent("no")] });
    await rejectsWith(created, "CANCELLED", "ABORTED_BY_CALLER");
    await rejectsWith(
      environments.get("environments/dev", { signal }),
      "CANCELLED",
      "ABORTED_BY_CALLER",
    );
    await rejectsWith(environments.list({ limit: 1, signal }), "CANCELLED", "ABORTED_BY_CALLER");
    assert.equal(await environments.get("environments/dev"), undefined);
    assert.equal(await events.head(), 0);
  },
  "calls after close() are UNAVAILABLE, and tails end so": async (harness) => {
    const { store } = harness;
    const { signal } = new AbortController();
    const waiting = store.events.tail(0, signal)[Symbol.asyncIterator]().next();
    await store.close();
    await rejectsWith(waiting, "UNAVAILABLE", "STORE_UNAVAILABLE");
    await rejectsWith(
      store.environments.get("environments/dev"),
      "UNAVAILABLE",
      "STORE_UNAVAILABLE",
    );
    const write = store.environments.create(anEnvironment("dev"));
    await rejectsWith(write, "UNAVAILABLE", "STORE_UNAVAILABLE");
    await store.close();
  },
  "what was written is there after reopening": async ({ store, reopen }) => {
    if (!reopen) return;
    await store.environments.create(anEnvironment("dev"), { events: [anEvent("1")] });
    await store.operations.create(anOperation("a", { requestId: "r1" }));
    await store.events.append([anEvent("2")]);
    await store.events.compact(2);
    const again = await reopen();
    assert.equal((await again.environments.get("environments/dev"))?.version, 1);
    assert.equal((await again.operations.findByRequestId("ann", "r1"))?.value.name, "operations/a");
    assert.equal(await again.events.head(), 2);
    await rejectsWith(again.events.read(0, 1), "OUT_OF_RANGE", "EVENTS_COMPACTED");
  },
};

async function pagesOf(
  store: Store,
  limit: number,
  query: Pick<Parameters<Store["environments"]["list"]>[0], "orderBy"> = {},
): Promise<readonly (readonly Stored<Environment>[])[]> {
  const pages = [];
  let after: Cursor | undefined;
  do {
    const page = await store.environments.list({ ...query, limit, ...(after && { after }) });
    pages.push(page.items);
    after = page.next ?? undefined;
  } while (after);
  return pages;
}

function idOf({ value }: Stored<Environment>): string {
  return value.name.slice("environments/".length);
}

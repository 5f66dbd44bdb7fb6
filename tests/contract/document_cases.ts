import assert from "node:assert/strict";
import { anEnvironment, anEvent, anOperation } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import type { StoreCase } from "./store_case.ts";

/** The behaviour of every store with single documents. */
export const DOCUMENT_CASES: Readonly<Record<string, StoreCase>> = {
  "create() adds a document with version 1, get() reads it": async ({ store }) => {
    const dev = anEnvironment("dev");
    assert.deepEqual(await store.environments.create(dev), { value: dev, version: 1 });
    assert.deepEqual(await store.environments.get(dev.name), { value: dev, version: 1 });
    assert.equal(await store.environments.get("environments/none"), undefined);
  },
  "create() rejects a name that is taken": async ({ store }) => {
    await store.environments.create(anEnvironment("dev"));
    const again = store.environments.create(anEnvironment("dev"));
    await rejectsWith(again, "ALREADY_EXISTS", "NAME_TAKEN");
  },
  "replace() replaces only the given version": async ({ store }) => {
    await store.environments.create(anEnvironment("dev"));
    const next = anEnvironment("dev", { state: "UPDATING" });
    assert.equal((await store.environments.replace(next, 1)).version, 2);
    await rejectsWith(store.environments.replace(next, 1), "ABORTED", "VERSION_CONFLICT");
    const gone = store.environments.replace(anEnvironment("none"), 1);
    await rejectsWith(gone, "NOT_FOUND", "NO_SUCH_DOCUMENT");
  },
  "delete() deletes only the given version": async ({ store }) => {
    const { name } = (await store.environments.create(anEnvironment("dev"))).value;
    await rejectsWith(store.environments.delete(name, 7), "ABORTED", "VERSION_CONFLICT");
    await store.environments.delete(name, 1);
    assert.equal(await store.environments.get(name), undefined);
    await rejectsWith(store.environments.delete(name, 1), "NOT_FOUND", "NO_SUCH_DOCUMENT");
    assert.equal((await store.environments.create(anEnvironment("dev"))).version, 1);
  },
  "of 100 parallel writers, exactly one wins each version": async ({ store }) => {
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
  "of 100 parallel creators of one name, exactly one wins": async ({ store }) => {
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
  "a request id is free again when its operation is deleted or replaced without it": async (
    { store },
  ) => {
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
  "a write that is aborted right after it was requested is not made": async ({ store }) => {
    const stop = new AbortController();
    const events = [anEvent("no")];
    const created = store.environments.create(anEnvironment("dev"), {
      signal: stop.signal,
      events,
    });
    stop.abort();
    await rejectsWith(created, "CANCELLED", "ABORTED_BY_CALLER");
    assert.equal(await store.environments.get("environments/dev"), undefined);
    assert.equal(await store.events.head(), 0);
  },
  "calls after close() are UNAVAILABLE, and so are open tails": async (harness) => {
    const { store } = harness;
    const { signal } = new AbortController();
    const waiting = store.events.tail(0, signal)[Symbol.asyncIterator]().next();
    // A store may end its tails before its close returns.
    const ended = rejectsWith(waiting, "UNAVAILABLE", "STORE_UNAVAILABLE");
    await store.close();
    await ended;
    await rejectsWith(
      store.environments.get("environments/dev"),
      "UNAVAILABLE",
      "STORE_UNAVAILABLE",
    );
    const write = store.environments.create(anEnvironment("dev"));
    await rejectsWith(write, "UNAVAILABLE", "STORE_UNAVAILABLE");
    await store.close();
  },
};

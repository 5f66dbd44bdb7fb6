import assert from "node:assert/strict";
import type { Operation } from "@mpc/domain";
import { requestCancel } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { anOperation } from "../../tests/fakes/documents.ts";
import { FailingStore } from "../../tests/fakes/failing_store.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";
import { type Note, OperationJournal } from "./operation_journal.ts";

const NAME = "operations/op";
const CANCELLATION = { actor: "ann", reason: "tested", time: 0 };

/** An entry that appends a word to the record. */
const note = (word: string): Note => ({
  edit: (operation) => ({ ...operation, waitingReason: `${operation.waitingReason}${word} ` }),
  reason: "StepProgressed" as const,
  message: word,
});

async function opened(store: Store, more: Partial<Operation> = {}) {
  const stored = await store.operations.create(anOperation("op", { state: "RUNNING", ...more }));
  let cancelled = 0;
  const journal = new OperationJournal(store, stored, () => cancelled++);
  return { journal, cancels: () => cancelled };
}

const written = async (store: Store) => (await store.operations.get(NAME))!.value.waitingReason;
const messages = async (store: Store) =>
  (await store.events.read(0, 100)).map(({ message }) => message);

const cancel = (store: Store) =>
  requestCancel(store, NAME, CANCELLATION, new AbortController().signal);

Deno.test("a deferred entry is written together with the next one, in order and with one event", async () => {
  const store = openMemoryStore();
  const { journal } = await opened(store);
  journal.defer(note("one"));
  assert.equal(await written(store), "");
  assert.equal(journal.operation.waitingReason, "one ", "the journal already includes it");
  await journal.record(note("two"));
  assert.equal(await written(store), "one two ");
  assert.deepEqual(await messages(store), ["one; two"]);
});

Deno.test("entries that are added during a write are written once, after it", async () => {
  const store = openMemoryStore();
  const { journal } = await opened(store);
  await Promise.all([note("one"), note("two"), note("three")].map((each) => journal.record(each)));
  assert.equal(await written(store), "one two three ");
  assert.equal(journal.operation.waitingReason, "one two three ");
});

Deno.test("an entry that is deferred during a write is not lost", async () => {
  const store = openMemoryStore();
  const { journal } = await opened(store);
  const writing = journal.record(note("one"));
  await Promise.resolve();
  await Promise.resolve();
  journal.defer(note("two"));
  await writing;
  await journal.flush();
  assert.equal(await written(store), "one two ");
});

Deno.test("writes are sequential: the store never handles two at once", async () => {
  const store = openMemoryStore();
  const { journal } = await opened(store);
  const { operations } = store;
  let [running, most] = [0, 0];
  const replace = operations.replace.bind(operations);
  operations.replace = async (...call) => {
    most = Math.max(most, ++running);
    try {
      return await replace(...call);
    } finally {
      running--;
    }
  };
  await Promise.all([note("one"), note("two")].map((each) => journal.record(each)));
  assert.equal(most, 1);
});

Deno.test("a failed write fails its caller, and the next write includes all entries", async () => {
  const store = new FailingStore(openMemoryStore(), new FakeClock());
  const { journal } = await opened(store);
  store.plan("refused", 1);
  await rejectsWith(journal.record(note("one")), "UNAVAILABLE", "STORE_UNAVAILABLE");
  await journal.record(note("two"));
  assert.equal(await written(store), "one two ");
});

Deno.test("an operation that has ended is not written again", async () => {
  const store = openMemoryStore();
  const { journal } = await opened(store);
  const { value, version } = (await store.operations.get(NAME))!;
  await store.operations.replace({ ...value, state: "SUCCEEDED" }, version);
  await journal.record(note("late"));
  assert.equal(await written(store), "");
  assert.deepEqual(await messages(store), []);
});

Deno.test("a cancellation is reported once: at the start, by a write or by a refresh", async (t) => {
  await t.step("at the start", async () => {
    const { cancels } = await opened(openMemoryStore(), { cancellation: CANCELLATION });
    assert.equal(cancels(), 1);
  });
  await t.step("by a write", async () => {
    const store = openMemoryStore();
    const { journal, cancels } = await opened(store);
    await cancel(store);
    assert.equal(cancels(), 0);
    await journal.record(note("one"));
    await journal.record(note("two"));
    assert.equal(cancels(), 1);
  });
  await t.step("by a refresh", async () => {
    const store = openMemoryStore();
    const { journal, cancels } = await opened(store);
    await cancel(store);
    await journal.refresh();
    await journal.refresh();
    assert.equal(cancels(), 1);
  });
});

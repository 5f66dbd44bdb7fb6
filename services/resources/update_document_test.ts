import assert from "node:assert/strict";
import { openMemoryStore } from "@mpc/storage/memory";
import { anEnvironment, anEvent } from "../../tests/fakes/documents.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";
import { updateDocument } from "./update_document.ts";

const NAME = "environments/dev";

async function withEnvironment() {
  const store = openMemoryStore();
  const known = await store.environments.create(anEnvironment("dev"));
  const count = (signal?: AbortSignal) =>
    updateDocument(
      store.environments,
      NAME,
      signal,
      (value) => ({ value: { ...value, generation: value.generation + 1 }, event: "counted" }),
      (stored, facts) => anEvent(`${facts} to ${stored.value.generation} by ${stored.version}`),
    );
  const messages = async () => (await store.events.read(0, 100)).map(({ message }) => message);
  return { store, known, count, messages };
}

Deno.test("updateDocument() writes the edit and its event in one write", async () => {
  const { count, messages } = await withEnvironment();
  const { value, version } = await count();
  assert.deepEqual([value.generation, version], [2, 2]);
  assert.deepEqual(await messages(), ["counted to 2 by 2"]);
});

Deno.test("updateDocument() repeats the edit if somebody else has changed the document", async () => {
  const { store, count, messages } = await withEnvironment();
  await Promise.all(Array.from({ length: 5 }, () => count()));
  assert.equal((await store.environments.get(NAME))?.value.generation, 6);
  assert.equal((await messages()).length, 5);
});

Deno.test("updateDocument() reads again if the given version is stale", async () => {
  const { store, known, count } = await withEnvironment();
  await count();
  const seen: number[] = [];
  await updateDocument(
    store.environments,
    NAME,
    undefined,
    (value) => {
      seen.push(value.generation);
      return { value, event: "seen" };
    },
    (_stored, facts) => anEvent(facts),
    known,
  );
  assert.deepEqual(seen, [1, 2]);
});

Deno.test("updateDocument() writes nothing if the edit returns undefined", async () => {
  const { store, messages } = await withEnvironment();
  const never = () => assert.fail("there is no event without a change");
  const { version } = await updateDocument(
    store.environments,
    NAME,
    undefined,
    () => undefined,
    never,
  );
  assert.equal(version, 1);
  assert.deepEqual(await messages(), []);
});

Deno.test("updateDocument() reports a document that is gone, and can be aborted", async () => {
  const { store, count } = await withEnvironment();
  await rejectsWith(count(AbortSignal.abort()), "CANCELLED", "ABORTED_BY_CALLER");
  await store.environments.delete(NAME, 1);
  await rejectsWith(count(), "NOT_FOUND", "NO_SUCH_DOCUMENT");
});

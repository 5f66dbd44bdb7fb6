import assert from "node:assert/strict";
import fc from "fast-check";
import type { JsonObject } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import {
  aDeadLetter,
  anEnvironment,
  anEvent,
  anEventSink,
  anOperation,
  aToken,
  aWorkload,
} from "../fakes/documents.ts";
import type { StoreCase } from "./store_case.ts";

/** Keys that mean something to JavaScript, to paths of a database, or to its drivers. */
const HOSTILE_KEYS = [
  "__proto__",
  "constructor",
  "toString",
  "toJSON",
  "_bsontype",
  "_id",
  "$set",
  "$ref",
  "$id",
  "$",
  "a.b",
  ".",
  "a.$.b",
  "%2E",
  "%",
  "",
  "0",
  "\0",
  "app.kubernetes.io/name",
  "\u{1f600}",
];

const NUMBERS = [
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32,
  0.1,
  5e-324,
  Number.MAX_VALUE,
  Date.UTC(9999, 11, 31, 23, 59, 59, 999),
];

/** Any JSON object, often with hostile keys. */
const json: fc.Arbitrary<JsonObject> = fc.letrec((tie) => ({
  key: fc.oneof(fc.constantFrom(...HOSTILE_KEYS), fc.string({ unit: "binary", maxLength: 5 })),
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(null, true, false, "", ...NUMBERS),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("object"),
  ),
  object: fc.array(fc.tuple(tie("key") as fc.Arbitrary<string>, tie("value")), { maxLength: 4 })
    // As JSON has it: `__proto__` is a key like any other.
    .map((entries) => JSON.parse(JSON.stringify(fromEntries(entries)))),
})).object as fc.Arbitrary<JsonObject>;

function fromEntries(entries: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true });
  }
  return object;
}

/** Documents and events come back as they were written. */
export const ROUND_TRIP_CASES: Readonly<Record<string, StoreCase>> = {
  "any JSON comes back as it was written, in documents and in events": async ({ store }) => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(json, async (input) => {
        const operation = anOperation(`o-${run++}`, { input, targetUid: "u" });
        const resource = { kind: "operation" as const, value: operation, version: 1 };
        const event = anEvent("written", { resource });
        const created = await store.operations.create(operation, { events: [event] });
        assert.deepEqual(created, { value: operation, version: 1 });
        assert.deepEqual(await store.operations.get(operation.name), created);
        const [last] = await lastEvents(store, 1);
        const { sequence: _, ...read } = last!;
        assert.deepEqual(read, event);
        const next = { ...operation, input: { before: input } };
        await store.operations.replace(next, 1);
        assert.deepEqual((await store.operations.get(operation.name))?.value, next);
      }),
      { numRuns: 50 },
    );
  },
  "optional fields stay absent, and null stays null": async ({ store }) => {
    const orphan = {
      name: "orphans/u",
      target: "environments/dev",
      targetUid: "u",
      objects: [],
      operation: "operations/o",
      createTime: 1,
    };
    await store.orphans.create(orphan);
    assert.deepEqual((await store.orphans.get(orphan.name))?.value, orphan);
    const known = { ...orphan, name: "orphans/v", cluster: "default" };
    await store.orphans.create(known);
    assert.deepEqual((await store.orphans.get(known.name))?.value, known);
    const { admissionRevoked: _, ...operation } = anOperation("o", { requestId: null });
    await store.operations.create(operation);
    const [listed] = (await store.operations.list({ limit: 1 })).items;
    assert.deepEqual(listed?.value, operation);
    const revoked = { ...operation, admissionRevoked: true };
    await store.operations.replace(revoked, 1);
    assert.deepEqual((await store.operations.get(operation.name))?.value, revoked);
    await store.operations.replace(operation, 2);
    assert.deepEqual((await store.operations.get(operation.name))?.value, operation);
  },
  "a token comes back as it was written, and its last use can be replaced": async ({ store }) => {
    const token = aToken("ci", { groups: ["deployers"] });
    await store.tokens.create(token);
    assert.deepEqual((await store.tokens.get(token.name))?.value, token);
    await store.tokens.replace({ ...token, lastUseTime: 1_700_000_000_123 }, 1);
    const [listed] = (await store.tokens.list({
      limit: 1,
      filter: { op: ">", path: ["lastUseTime"], value: 0 },
    })).items;
    assert.deepEqual(listed, { value: { ...token, lastUseTime: 1_700_000_000_123 }, version: 2 });
    await store.tokens.delete(token.name, 2);
    assert.equal(await store.tokens.get(token.name), undefined);
  },
  "a sink and its dead letters come back as they were written, and those to be resent are found":
    async ({ store }) => {
      await store.eventSinks.create(anEventSink("chat"));
      const sink = anEventSink("chat", { state: "RETRYING", position: 12, goneUrlHash: "ab" });
      await store.eventSinks.replace(sink, 1);
      assert.deepEqual(await store.eventSinks.get(sink.name), { value: sink, version: 2 });
      for (const sequence of [7, 100_000, 12]) {
        await store.deadLetters.create(aDeadLetter("chat", sequence));
      }
      await store.deadLetters.create(aDeadLetter("chat-2", 1, { resendTime: 5 }));
      const letter = aDeadLetter("chat", 12, { resendTime: 1_700_000_000_123 });
      await store.deadLetters.replace(letter, 1);
      const prefix = "eventSinks/chat/deadLetters/";
      const filter = { op: ">", path: ["resendTime"], value: 0 } as const;
      const asked = await store.deadLetters.list({ prefix, filter, limit: 10 });
      assert.deepEqual(asked.items, [{ value: letter, version: 2 }]);
      assert.equal(await store.deadLetters.count({ prefix }), 3);
      const { items } = await store.deadLetters.list({ prefix, limit: 2 });
      assert.deepEqual(items.map(({ value }) => value.event.sequence), [7, 12]);
      await store.deadLetters.delete(letter.name, 2);
      assert.equal(await store.deadLetters.get(letter.name), undefined);
    },
  "times keep their milliseconds": async ({ store }) => {
    for (const [index, time] of [0, 1, 999, 1_700_000_000_123, 253_402_300_799_999].entries()) {
      const value = anEnvironment(`e-${index}`, { createTime: time, expireTime: time });
      await store.environments.create(value, { events: [anEvent("created", { time })] });
      assert.deepEqual((await store.environments.get(value.name))?.value, value);
      assert.equal((await lastEvents(store, 1))[0]?.time, time);
    }
  },
  "a document of megabytes comes back, with its event": async ({ store }) => {
    const annotations = { large: "\u{1f600}é\n".repeat(300_000) };
    const value = aWorkload("dev", "web", { annotations });
    const resource = { kind: "workload" as const, value, version: 1 };
    await store.workloads.create(value, { events: [anEvent("created", { resource })] });
    assert.deepEqual((await store.workloads.get(value.name))?.value, value);
    assert.deepEqual((await lastEvents(store, 1))[0]?.resource, resource);
    await store.workloads.replace({ ...value, generation: 2 }, 1);
    assert.equal((await store.workloads.get(value.name))?.value.generation, 2);
  },
};

/** The newest events of a log that still has all of its events. */
async function lastEvents({ events }: Store, count: number) {
  return (await events.read(0, 10_000)).slice(-count);
}

/** What a writer leaves that died between its document and its events. */
import assert from "node:assert/strict";
import { MongoClient, ObjectId } from "mongodb";
import type { Event } from "@mpc/domain";
import type { MongoStore } from "@mpc/storage/mongodb";
import { type Block, BLOCK_KEPT_MS } from "../../storage/mongodb/block_chain.ts";
import { encodeEvent, type MongoDocument } from "../../storage/mongodb/codec.ts";
import { anEnvironment, anEvent } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { eventually } from "../servers/eventually.ts";
import { mongodbUnderTest } from "../servers/mongodb_under_test.ts";

const server = await mongodbUnderTest();

/** A moment after every event of these tests. */
const AFTER_ALL = Date.UTC(2100, 0, 1);

interface World {
  readonly store: MongoStore;
  readonly client: MongoClient;
  /** Writes version `version` of an environment as a writer would that dies before its events. */
  leave(id: string, version: number, ...messages: string[]): Promise<void>;
  /** Deletes an environment in the same way. */
  leaveDeleted(id: string, message: string): Promise<void>;
}

async function withWorld(use: (world: World) => Promise<void>): Promise<void> {
  const address = server.newAddress();
  const store = await server.open(address);
  const client = new MongoClient(address);
  const documents = client.db().collection<MongoDocument>("environments");
  const push = (...messages: string[]) => ({
    outbox: {
      $each: [{ id: new ObjectId(), events: messages.map((each) => encodeEvent(anEvent(each))) }],
    },
  });
  try {
    await use({
      store,
      client,
      async leave(id, version, ...messages) {
        await documents.updateOne(
          { _id: anEnvironment(id).name },
          {
            $set: { schema: 1, version, write: new ObjectId(), value: anEnvironment(id) as never },
            $push: push(...messages),
          },
          { upsert: true },
        );
      },
      async leaveDeleted(id, message) {
        await documents.updateOne(
          { _id: anEnvironment(id).name },
          {
            $set: { deleted: true, write: new ObjectId() },
            $unset: { value: "" },
            $push: push(message),
          },
        );
      },
    });
  } finally {
    await client.close();
    await store.close();
    await server.drop(address);
  }
}

const messagesOf = (events: readonly Event[]) => events.map(({ message }) => message);

Deno.test("the head covers what a crash kept from the log, and each event is there once", () =>
  withWorld(async ({ store, leave, client }) => {
    await leave("dev", 1, "created", "labelled");
    await leave("dev", 2, "updated");
    assert.equal(await store.events.head(), 3);
    assert.equal(await store.events.head(), 3);
    const events = await store.events.read(0, 10);
    assert.deepEqual(messagesOf(events), ["created", "labelled", "updated"]);
    assert.deepEqual(events.map(({ sequence }) => sequence), [1, 2, 3]);
    await eventually("the outbox is removed", async () => {
      const left = await client.db().collection("environments").countDocuments({
        outbox: { $exists: true },
      });
      assert.equal(left, 0);
    });
  }));

Deno.test("a follower receives what a crash kept from the log, without another write", () =>
  withWorld(async ({ store, leave }) => {
    const stop = new AbortController();
    const tail = store.events.tail(0, stop.signal)[Symbol.asyncIterator]();
    const next = tail.next();
    await leave("dev", 1, "created");
    assert.equal((await next).value?.message, "created");
    stop.abort();
  }));

Deno.test("events that a crash left go before those of the next write of the document", () =>
  withWorld(async ({ store, leave }) => {
    await leave("dev", 1, "created");
    await store.environments.replace(anEnvironment("dev"), 1, { events: [anEvent("updated")] });
    assert.deepEqual(messagesOf(await store.events.read(0, 10)), ["created", "updated"]);
  }));

Deno.test("a deleted document is gone at once, and its tombstone once its events are in the log", () =>
  withWorld(async ({ store, leave, leaveDeleted, client }) => {
    await leave("dev", 1, "created");
    await leaveDeleted("dev", "deleted");
    assert.equal(await store.environments.get("environments/dev"), undefined);
    assert.equal(await store.environments.count({}), 0);
    assert.deepEqual((await store.environments.list({ limit: 1 })).items, []);
    await rejectsWith(
      store.environments.replace(anEnvironment("dev"), 1),
      "NOT_FOUND",
      "NO_SUCH_DOCUMENT",
    );
    await store.events.head();
    assert.deepEqual(messagesOf(await store.events.read(0, 10)), ["created", "deleted"]);
    await eventually("the tombstone is removed", async () => {
      assert.equal(await client.db().collection("environments").countDocuments({}), 0);
    });
  }));

Deno.test("a document in the place of a tombstone comes after its deletion in the log", () =>
  withWorld(async ({ store, leave, leaveDeleted }) => {
    await leave("dev", 1, "created");
    await leaveDeleted("dev", "deleted");
    const created = await store.environments.create(anEnvironment("dev"), {
      events: [anEvent("created again")],
    });
    assert.equal(created.version, 1);
    await store.environments.replace(anEnvironment("dev"), 1, { events: [anEvent("updated")] });
    assert.deepEqual(
      messagesOf(await store.events.read(0, 10)),
      ["created", "deleted", "created again", "updated"],
    );
  }));

Deno.test("a version number that is used again does not hide events of its document", () =>
  withWorld(async ({ store, leave, leaveDeleted, client }) => {
    const value = anEnvironment("dev");
    // This handle now means to remove the outbox of version 1 with its next write of it.
    await store.environments.create(value, { events: [anEvent("created")] });
    await leaveDeleted("dev", "deleted");
    await client.db().collection<MongoDocument>("environments")
      .updateOne({ _id: value.name }, { $unset: { deleted: "" } });
    await leave("dev", 1, "created again");
    await store.environments.replace(value, 1, { events: [anEvent("updated")] });
    assert.deepEqual(
      messagesOf(await store.events.read(0, 10)),
      ["created", "deleted", "created again", "updated"],
    );
  }));

Deno.test("blocks that are old and compacted are removed, and the log goes on behind them", () =>
  withWorld(async ({ store, client }) => {
    const append = (message: string) => store.events.append([anEvent(message)]);
    for (const message of ["one", "two", "three"]) await append(message);
    const blocks = client.db().collection<Block>("events");
    await blocks.updateMany({}, { $set: { at: new Date(Date.now() - 2 * BLOCK_KEPT_MS) } });
    assert.equal(await store.events.compactBefore(AFTER_ALL), 3);
    assert.equal(await blocks.countDocuments({}), 1, "the last block says where the log ends");
    await rejectsWith(store.events.read(0, 10), "OUT_OF_RANGE", "EVENTS_COMPACTED");
    assert.deepEqual(await store.events.read(3, 10), []);
    await append("four");
    const [four] = await store.events.read(3, 10);
    assert.deepEqual([four?.sequence, four?.message], [4, "four"]);
  }));

Deno.test("a block is kept while a document's outbox has its events", () =>
  withWorld(async ({ store, leave, client }) => {
    await leave("dev", 1, "created");
    assert.equal(await store.events.head(), 1);
    const blocks = client.db().collection<Block>("events");
    await store.events.append([anEvent("other")]);
    await blocks.updateMany({}, { $set: { at: new Date(Date.now() - 2 * BLOCK_KEPT_MS) } });
    await store.events.compactBefore(AFTER_ALL);
    const left = { outbox: { $exists: true } };
    assert.equal(await client.db().collection("environments").countDocuments(left), 0);
    assert.equal(await store.events.head(), 2, "the event was not appended again");
  }));

Deno.test("writes that are requested at the same time share a block of the log", () =>
  withWorld(async ({ store }) => {
    const before = store.blocks;
    await Promise.all(
      Array.from(
        { length: 50 },
        (_, index) =>
          store.environments.create(anEnvironment(`e-${index}`), { events: [anEvent("created")] }),
      ),
    );
    assert.ok(store.blocks - before < 25, `${store.blocks - before} blocks for 50 writes`);
    assert.equal(await store.events.head(), 50);
  }));

/** Opening databases: what is created, and what is rejected with a reason. */
import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { openStore } from "@mpc/storage/open_store";
import { INDEXES } from "../../storage/mongodb/indexes.ts";
import { anEnvironment, anEvent } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { mongodbUnderTest } from "../servers/mongodb_under_test.ts";

const server = await mongodbUnderTest();

async function withDatabase(
  use: (address: string, client: MongoClient) => Promise<void>,
): Promise<void> {
  const address = server.newAddress();
  const client = new MongoClient(address);
  try {
    await use(address, client);
  } finally {
    await client.close();
    await server.drop(address);
  }
}

Deno.test("openStore() opens a MongoDB database, which several handles share", () =>
  withDatabase(async (address) => {
    const [one, other] = [await openStore(address), await openStore(address, { shared: true })];
    await one.environments.create(anEnvironment("dev"));
    assert.equal(await other.environments.count({}), 1);
    await one.close();
    await other.close();
  }));

Deno.test("several processes may create the same database at once", () =>
  withDatabase(async (address, client) => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(address)));
    await Promise.all(
      stores.map(({ environments }, index) =>
        environments.create(anEnvironment(`e-${index}`), { events: [anEvent(`${index}`)] })
      ),
    );
    assert.equal(await stores[0]!.events.head(), 4);
    for (const store of stores) await store.close();
    for (const [name, indexes] of Object.entries(INDEXES)) {
      const present = await client.db().collection(name).listIndexes().toArray();
      const names = present.map((index) => index["name"]).filter((each) => each !== "_id_");
      assert.deepEqual(names.toSorted(), indexes.map((index) => index.name).toSorted(), name);
    }
  }));

Deno.test("a database that a newer version wrote is rejected", () =>
  withDatabase(async (address, client) => {
    await client.db().collection<{ _id: string }>("meta").insertOne(
      { _id: "schema", version: 99 } as { _id: string },
    );
    const { message } = await rejectsWith(
      openStore(address),
      "FAILED_PRECONDITION",
      "STORE_TOO_NEW",
    );
    assert.match(message, /a newer version wrote it \(schema 99\), this one knows schema 1/);
  }));

Deno.test("an index that is not as declared is named", () =>
  withDatabase(async (address, client) => {
    await client.db().collection("operations").createIndex({ request: 1 }, { name: "request" });
    const { message } = await rejectsWith(
      openStore(address),
      "FAILED_PRECONDITION",
      "STORE_INDEXES_DIFFER",
    );
    assert.match(message, /'request' of 'operations' is \(request\), must be \(request\) unique/);
  }));

Deno.test("a replica set that the server is not a member of is named", async () => {
  const address = new URL(server.newAddress());
  address.searchParams.set("replicaSet", "rs0");
  address.searchParams.set("serverSelectionTimeoutMS", "300");
  const error = await rejectsWith(
    openStore(address.href),
    "FAILED_PRECONDITION",
    "STORE_WRONG_REPLICA_SET",
  );
  assert.match(error.message, /another replica set than the address names, or of none/);
});

Deno.test("a server that does not answer is UNAVAILABLE within the time of the address", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const address = `mongodb://ann:secret@127.0.0.1:${port}/x?serverSelectionTimeoutMS=300`;
  const error = await rejectsWith(openStore(address), "UNAVAILABLE", "STORE_UNAVAILABLE");
  assert.doesNotMatch(error.message, /secret/);
});

Deno.test("a document that MongoDB cannot store is rejected, and nothing is written", () =>
  withDatabase(async (address) => {
    const store = await openStore(address);
    try {
      const large = "x".repeat(9 * 1024 * 1024);
      const value = anEnvironment("dev", { annotations: { large } });
      const event = anEvent("created", {
        resource: { kind: "environment", value, version: 1 },
      });
      const created = store.environments.create(value, { events: [event] });
      const { message } = await rejectsWith(created, "INVALID_ARGUMENT", "DOCUMENT_TOO_LARGE");
      assert.match(message, /^Cannot write 'environments\/dev': .* larger than 16 MB/);
      assert.equal(await store.environments.get(value.name), undefined);
      assert.equal(await store.events.head(), 0);
      await store.environments.create(value);
      await rejectsWith(
        store.environments.replace(value, 1, { events: [event] }),
        "INVALID_ARGUMENT",
        "DOCUMENT_TOO_LARGE",
      );
      assert.equal((await store.environments.get(value.name))?.version, 1);
    } finally {
      await store.close();
    }
  }));

/** What the store asks of a database, and what it says of one that fails or does not answer. */
import assert from "node:assert/strict";
import type { BSON } from "mongodb";
import { anEnvironment, anEvent } from "@mpc/tests/fakes/documents.ts";
import { rejectsWith } from "@mpc/tests/fakes/rejects.ts";
import { NO_SANITIZERS } from "@mpc/tests/servers/no_sanitizers.ts";
import { type ScriptedMongodb, startScriptedMongodb } from "@mpc/tests/servers/scripted_mongodb.ts";
import { migrate } from "./migrate.ts";
import { openDatabase } from "./open_database.ts";
import { openMongoStore } from "./store.ts";

const NOTHING = { id: 0n, ns: "mpc.any", firstBatch: [] };

const CASES = [
  [{ code: 14_031, errmsg: "Not enough disk space" }, "RESOURCE_EXHAUSTED", "STORE_FULL"],
  [{ code: 13, errmsg: "not allowed" }, "FAILED_PRECONDITION", "STORE_CREDENTIALS_REJECTED"],
  [{ code: 10_107, errmsg: "not primary" }, "CANCELLED", "ABORTED_BY_CALLER"],
] as const;

for (const [failure, code, reason] of CASES) {
  Deno.test(`a database that answers writes with '${failure.errmsg}'`, NO_SANITIZERS, async () => {
    let writes = true;
    await using server = startScriptedMongodb({
      answer({ find, listCollections, update }) {
        if (find || listCollections) return Promise.resolve({ ok: 1, cursor: NOTHING });
        return update && !writes ? Promise.resolve({ ok: 0, ...failure }) : undefined;
      },
    });
    const store = await openMongoStore({ address: `mongodb://127.0.0.1:${server.port}/mpc` });
    await store.assertWritable();
    writes = false;
    const signal = AbortSignal.timeout(1_000);
    await rejectsWith(store.assertWritable({ signal }), code, reason);
    await store.close();
  });
}

const addressOf = ({ port }: ScriptedMongodb, options = "") =>
  `mongodb://127.0.0.1:${port}/mpc?${options}`;

/** What an empty database answers; undefined for what the peer answers by itself. */
const emptyDatabase = ({ find, listCollections, aggregate, insert }: BSON.Document) => {
  if (insert) return { ok: 1, n: 1 };
  return find || listCollections || aggregate ? { ok: 1, cursor: NOTHING } : undefined;
};

Deno.test(
  "every read has a limit at the server, that of the driver's wait",
  NO_SANITIZERS,
  async () => {
    const limits = new Map<string, unknown>();
    await using server = startScriptedMongodb({
      answer(command) {
        const [name = ""] = Object.keys(command);
        if (command[name] === "operations") limits.set(name, command.maxTimeMS);
        const found = emptyDatabase(command);
        return found && Promise.resolve(found);
      },
    });
    const store = await openMongoStore({ address: addressOf(server, "socketTimeoutMS=7000") });
    await store.operations.list({ limit: 1 });
    await store.operations.count({});
    assert.deepEqual(Object.fromEntries(limits), {
      find: 7_000,
      aggregate: 7_000,
      createIndexes: undefined,
    });
    await store.close();
  },
);

Deno.test("a read whose caller gives up frees its connection", NO_SANITIZERS, async () => {
  const asked = Promise.withResolvers<void>();
  const late = Promise.withResolvers<BSON.Document>();
  let answers = true;
  await using server = startScriptedMongodb({
    answer(command) {
      const found = emptyDatabase(command);
      if (!found || answers) return found && Promise.resolve(found);
      asked.resolve();
      return late.promise;
    },
  });
  const address = addressOf(server, "maxPoolSize=1&socketTimeoutMS=0");
  const store = await openMongoStore({ address });
  answers = false;
  const caller = new AbortController();
  const read = store.operations.get("operations/a", { signal: caller.signal });
  await asked.promise;
  caller.abort();
  await rejectsWith(read, "CANCELLED", "ABORTED_BY_CALLER");
  answers = true;
  assert.equal(await store.operations.get("operations/a"), undefined);
  await store.close();
  late.resolve({ ok: 1 });
});

Deno.test("indexes may take longer to create than any other call", NO_SANITIZERS, async () => {
  const creating = Promise.withResolvers<void>();
  const created = Promise.withResolvers<void>();
  await using server = startScriptedMongodb({
    async answer(command) {
      if (command.createIndexes === "operations") creating.resolve();
      if (command.createIndexes === "operations" || command.ping) await created.promise;
      return emptyDatabase(command) ?? { ok: 1 };
    },
  });
  const opened = await openDatabase(addressOf(server, "socketTimeoutMS=200"));
  const migrated = migrate(opened.database);
  await creating.promise;
  // Another call that began later is given up before.
  await assert.rejects(opened.database.command({ ping: 1 }), /timed out/);
  created.resolve();
  await migrated;
  await opened.client.close();
});

Deno.test("a write whose events cannot be appended may have been made", NO_SANITIZERS, async () => {
  let failure: BSON.Document = { ok: 0, code: 10_107, errmsg: "not primary" };
  await using server = startScriptedMongodb({
    answer(command) {
      if (command.insert === "events") return Promise.resolve(failure);
      const found = emptyDatabase(command);
      return found && Promise.resolve(found);
    },
  });
  const store = await openMongoStore({ address: addressOf(server), patienceMs: 50 });
  const create = () =>
    store.environments.create(anEnvironment("dev"), { events: [anEvent("created")] });
  for (
    const [answer, cause] of [
      [failure, "STORE_UNAVAILABLE"],
      [{ ok: 0, code: 14_031, errmsg: "Not enough disk space" }, "STORE_FULL"],
    ] as const
  ) {
    failure = answer;
    const error = await rejectsWith(create(), "UNAVAILABLE", "STORE_UNAVAILABLE");
    assert.match(error.message, /^Cannot tell whether 'environments\/dev' was changed/);
    assert.equal((error.cause as { readonly reason?: string }).reason, cause);
  }
  await store.close();
});

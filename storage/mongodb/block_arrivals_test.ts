/**
 * Follows the change stream of a scripted peer: the server under test in `tests/mongodb` has none.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { NO_SANITIZERS } from "@mpc/tests/servers/no_sanitizers.ts";
import { ScriptedChangeStream } from "@mpc/tests/servers/scripted_change_stream.ts";
import { startScriptedMongodb } from "@mpc/tests/servers/scripted_mongodb.ts";
import type { Block } from "./block_chain.ts";
import { BlockArrivals } from "./block_arrivals.ts";
import { openDatabase } from "./open_database.ts";

/** Opens a database, and follows its change stream until the end of the test. */
async function follow(
  use: (parts: {
    readonly stream: ScriptedChangeStream;
    readonly arrivals: BlockArrivals;
    /** Resolves at the next arrival. */
    readonly arrival: () => Promise<unknown>;
  }) => Promise<void>,
): Promise<void> {
  const stream = new ScriptedChangeStream();
  const answer = (command: object) => stream.answer(command);
  await using server = startScriptedMongodb({ setName: "rs0", answer });
  const { client, database } = await openDatabase(`mongodb://127.0.0.1:${server.port}/mpc`);
  const arrived = new EventTarget();
  const arrivals = new BlockArrivals(
    database.collection<Block>("events"),
    () => arrived.dispatchEvent(new Event("arrival")),
  );
  const stop = new AbortController();
  const arrival = () => once(arrived, "arrival", { signal: AbortSignal.timeout(5_000) });
  const opened = arrival();
  const following = arrivals.follow(stop.signal);
  try {
    await opened;
    await use({ stream, arrivals, arrival });
  } finally {
    stop.abort();
    await following;
    await client.close();
  }
  assert.equal(arrivals.isOpen, false);
}

Deno.test(
  "each block that somebody else has appended is reported",
  NO_SANITIZERS,
  () =>
    follow(async ({ stream, arrivals, arrival }) => {
      assert.equal(arrivals.isOpen, true);
      for (let block = 0; block < 3; block++) {
        const next = arrival();
        stream.insert();
        await next;
      }
      assert.equal(stream.opened, 1);
      assert.deepEqual(stream.pipeline.slice(1), [
        { $match: { operationType: "insert" } },
        { $project: { _id: 1 } },
      ]);
    }),
);

Deno.test(
  "a stream whose cursor the server has lost is resumed",
  NO_SANITIZERS,
  () =>
    follow(async ({ stream, arrivals, arrival }) => {
      const resumed = stream.loseCursor();
      await resumed;
      const next = arrival();
      stream.insert();
      await next;
      assert.equal(arrivals.isOpen, true);
    }),
);

Deno.test("a user who may not open change streams is left to look", NO_SANITIZERS, async () => {
  const refused = Promise.withResolvers<void>();
  await using server = startScriptedMongodb({
    setName: "rs0",
    answer: (command) => {
      if (!command.aggregate) return undefined;
      refused.resolve();
      return Promise.resolve({ ok: 0, code: 13, errmsg: "not authorized" });
    },
  });
  const { client, database } = await openDatabase(`mongodb://127.0.0.1:${server.port}/mpc`);
  const arrivals = new BlockArrivals(
    database.collection<Block>("events"),
    () => assert.fail("nothing has arrived"),
  );
  const stop = new AbortController();
  const following = arrivals.follow(stop.signal);
  await refused.promise;
  await database.command({ ping: 1 });
  assert.equal(arrivals.isOpen, false);
  stop.abort();
  await following;
  await client.close();
});

for (const options of [{}, { setName: "rs0" }]) {
  const member = "setName" in options;
  const kind = member ? "a member of a replica set" : "a server of its own";
  Deno.test(`whether ${kind} has change streams is found at start`, NO_SANITIZERS, async () => {
    await using server = startScriptedMongodb(options);
    const opened = await openDatabase(`mongodb://127.0.0.1:${server.port}/mpc`);
    assert.equal(opened.changeStreams, member);
    await opened.client.close();
  });
}

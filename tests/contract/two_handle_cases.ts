import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { Event } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import { anEnvironment, anEvent, anOperation } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import type { StoreCase } from "./store_case.ts";

/** The guarantees for readers and writers of two handles of one store. */
export const TWO_HANDLE_CASES: Readonly<Record<string, StoreCase>> = {
  "two handles: each sees a write of the other as soon as it has returned": async (harness) => {
    const both = [harness.store, await harness.openAgain()] as const;
    for (const [round, [writer, reader]] of [both, both.toReversed()].entries()) {
      const [id, requestId] = [`e-${round}`, `r-${round}`];
      const { name } = anEnvironment(id);
      await writer!.environments.create(anEnvironment(id), { events: [anEvent("created")] });
      assert.equal((await reader!.environments.get(name))?.version, 1);
      await writer!.environments.replace(anEnvironment(id, { generation: 2 }), 1);
      assert.equal((await reader!.environments.get(name))?.value.generation, 2);
      const { items } = await reader!.environments.list({ prefix: name, limit: 10 });
      assert.deepEqual(items.map(({ version }) => version), [2]);
      await writer!.operations.create(anOperation(id, { requestId }));
      const found = await reader!.operations.findByRequestId("ann", requestId);
      assert.equal(found?.value.name, `operations/${id}`);
      const head = await reader!.events.head();
      assert.equal((await reader!.events.read(0, 10)).at(-1)?.sequence, head);
      assert.equal(await writer!.events.head(), head);
      await writer!.environments.delete(name, 2);
      assert.equal(await reader!.environments.get(name), undefined);
      assert.equal(await reader!.environments.count({}), 0);
    }
  },
  "two handles: of their writers, one wins each version, name and request id": async (harness) => {
    const both = [harness.store, await harness.openAgain()] as const;
    const race = async (write: (store: Store, writer: number) => Promise<unknown>) => {
      const writers = Array.from({ length: 20 }, (_, writer) => write(both[writer % 2]!, writer));
      const results = await Promise.allSettled(writers);
      return results.filter(({ status }) => status === "fulfilled").length;
    };
    const won = [await race((store) => store.environments.create(anEnvironment("dev")))];
    for (let version = 1; version <= 5; version++) {
      won.push(
        await race((store, generation) =>
          store.environments.replace(anEnvironment("dev", { generation }), version)
        ),
      );
    }
    won.push(
      await race((store, writer) =>
        store.operations.create(anOperation(`o-${writer}`, { requestId: "r1" }))
      ),
    );
    assert.deepEqual(won, Array(7).fill(1));
  },
  "two handles: a reader that has seen an event reads its document at least as new": async (
    harness,
  ) => {
    const [writer, reader] = [harness.store, await harness.openAgain()];
    const stop = new AbortController();
    const tail = reader.events.tail(0, stop.signal)[Symbol.asyncIterator]();
    const value = anEnvironment("dev");
    const told = (version: number) => {
      const resource = { kind: "environment" as const, value, version };
      return { events: [anEvent(String(version), { resource })] };
    };
    const writing = (async () => {
      for (let version = 1; version <= 100; version++) {
        if (version === 1) await writer.environments.create(value, told(1));
        else await writer.environments.replace(value, version - 1, told(version));
      }
      await writer.environments.delete(value.name, 100, { events: [anEvent("deleted")] });
    })();
    const seen: string[] = [];
    while (seen.at(-1) !== "deleted") {
      const event: Event = (await tail.next()).value!;
      seen.push(event.message);
      const found = await reader.environments.get(value.name);
      if (event.message === "deleted") assert.equal(found, undefined);
      else if (found) assert.ok(found.version >= event.resource!.version, `event ${event.message}`);
      else {
        // A document that is gone is newer than each of its events, which the head covers.
        await reader.events.head();
        const rest = await reader.events.read(event.sequence, 200);
        assert.equal(rest.at(-1)?.message, "deleted");
      }
    }
    stop.abort();
    await writing;
    const versions = Array.from({ length: 100 }, (_, index) => String(index + 1));
    assert.deepEqual(seen, [...versions, "deleted"], "in the order of versions, each once");
  },
  "two handles: the head covers the events of every version that was read": async (harness) => {
    const [writer, reader] = [harness.store, await harness.openAgain()];
    const value = anEnvironment("dev");
    const writing = (async () => {
      for (let version = 1; version <= 60; version++) {
        const events = [anEvent(String(version))];
        if (version === 1) await writer.environments.create(value, { events });
        else await writer.environments.replace(value, version - 1, { events });
      }
    })();
    for (let read = 0; read < 60;) {
      // SQLite reads without waiting, so nothing else would have a turn.
      await setImmediate();
      read = (await reader.environments.get(value.name))?.version ?? 0;
      const head = await reader.events.head();
      const events = (await reader.events.read(0, 100)).filter(({ sequence }) => sequence <= head);
      const versions = events.map(({ message }) => Number(message));
      assert.ok(
        versions.length >= read,
        `version ${read} was read, the log has ${versions.length}`,
      );
      assert.deepEqual(versions, versions.map((_, index) => index + 1));
    }
    await writing;
  },
  "two handles: both append, and both read and follow the same order": async (harness) => {
    const both = [harness.store, await harness.openAgain()] as const;
    const stop = new AbortController();
    const following = both.map(async (store) => {
      const seen: Event[] = [];
      for await (const event of store.events.tail(0, stop.signal)) {
        seen.push(event);
        if (seen.length === 200) break;
      }
      return seen;
    });
    await Promise.all(both.map(async (store, handle) => {
      for (let index = 0; index < 50; index++) {
        const pair = ["a", "b"].map((part) => anEvent(`${handle} ${index} ${part}`));
        await store.events.append(pair);
      }
    }));
    const [first, second] = await Promise.all(following);
    assert.deepEqual(second, first);
    for (const store of both) assert.deepEqual(await store.events.read(0, 1_000), first);
    const sequences = first!.map(({ sequence }) => sequence);
    assert.ok(sequences.every((sequence, index) => sequence > (sequences[index - 1] ?? 0)));
    for (const handle of ["0", "1"]) {
      const own = first!.filter(({ message }) => message.startsWith(`${handle} `));
      const written = own.map(({ message }) => message.slice(2));
      const asked = Array.from({ length: 50 }, (_, index) => [`${index} a`, `${index} b`]);
      assert.deepEqual(written, asked.flat());
    }
  },
  "two handles: events removed through one are removed for the other": async (harness) => {
    const [one, other] = [harness.store, await harness.openAgain()];
    await one.events.append([1, 2, 3].map((time) => anEvent(String(time), { time })));
    assert.equal(await one.events.compactBefore(3), 2);
    assert.equal(await other.events.compactBefore(3), 0);
    const error = await rejectsWith(other.events.read(0, 9), "OUT_OF_RANGE", "EVENTS_COMPACTED");
    const rest = await other.events.read(Number(error.metadata["compacted"]), 9);
    assert.deepEqual(rest.map(({ message }) => message), ["3"]);
    const tail = other.events.tail(0, new AbortController().signal)[Symbol.asyncIterator]();
    await rejectsWith(tail.next(), "OUT_OF_RANGE", "EVENTS_COMPACTED");
  },
  "two handles: closing one does not affect the other and its followers": async (harness) => {
    const [one, other] = [harness.store, await harness.openAgain()];
    const stop = new AbortController();
    const tail = other.events.tail(0, stop.signal)[Symbol.asyncIterator]();
    const next = tail.next();
    await one.close();
    await other.environments.create(anEnvironment("dev"), { events: [anEvent("1")] });
    assert.equal((await next).value?.message, "1");
    stop.abort();
    await rejectsWith(one.environments.count({}), "UNAVAILABLE", "STORE_UNAVAILABLE");
  },
};

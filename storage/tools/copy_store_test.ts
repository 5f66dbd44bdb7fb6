import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { type Event, INSTALLATION, type NewEvent } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { newInstallation } from "../../platform/new_installation.ts";
import { openInstallation } from "../../platform/open_installation.ts";
import {
  anEnvironment,
  anEvent,
  anOperation,
  aToken,
  aWorkload,
} from "../../tests/fakes/documents.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";
import { SeededIds } from "../../tests/fakes/seeded_ids.ts";
import { withFolder } from "../../tests/servers/with_folder.ts";
import { contentsOf } from "./contents.ts";
import { copyStore } from "./copy_store.ts";

/** A store as a platform that has just been started leaves it. */
async function used(store: Store): Promise<Store> {
  await openInstallation(store, { clock: new FakeClock(), ids: new SeededIds(1, 0) });
  return store;
}

const events = async (store: Store, after = 0): Promise<readonly Event[]> =>
  await store.events.read(after, 10_000);

interface Content {
  readonly id: string;
  readonly text: string;
  /** How often each document is replaced after its creation. */
  readonly changes: number;
  readonly number: number;
}

const text = fc.string({ unit: "binary", maxLength: 30 })
  // SQLite and MongoDB keep UTF-8, which has no lone surrogates.
  .map((it) => it.toWellFormed().replaceAll("\0", ""));

const contents = fc.uniqueArray(
  fc.record({
    id: fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/),
    text,
    changes: fc.nat({ max: 4 }),
    number: fc.double({ noNaN: true, noDefaultInfinity: true }).map((it) => it + 0),
  }),
  { selector: ({ id }) => id, maxLength: 12 },
);

/** Writes documents of every kind, with events of which some are removed again. */
async function write(store: Store, content: readonly Content[]): Promise<void> {
  for (const [index, { id, text, changes, number }] of content.entries()) {
    const labels = { "example.com/odd": text, __proto__x: "y", number: String(number) };
    const told = (): NewEvent => anEvent(text, { time: index });
    await store.environments.create(anEnvironment(id, { labels }), { events: [told()] });
    await store.operations.create(
      anOperation(id, {
        requestId: `${id} ${text}`,
        state: "SUCCEEDED",
        input: { number, [text]: [text] },
      }),
    );
    const workload = aWorkload(id, id, { annotations: labels });
    await store.workloads.create(workload);
    await store.revisions.create({
      name: `${workload.name}/revisions/1`,
      number: 1,
      spec: workload.spec,
      restartToken: text,
      operation: `operations/${id}`,
      createTime: index,
    });
    await store.claims.create({
      name: `clusters/${id}`,
      token: text,
      next: null,
      renewTime: index,
      lost: { since: index, renewTime: text },
    });
    await store.tokens.create(aToken(id, {
      displayName: text,
      groups: [text],
      lastUseTime: index % 2 === 0 ? null : index,
    }));
    await store.orphans.create({
      name: `orphans/${id}`,
      target: text,
      targetUid: id,
      objects: [text],
      operation: text,
      createTime: index,
    });
    for (let version = 1; version <= changes; version++) {
      await store.environments.replace(
        anEnvironment(id, { labels, generation: version }),
        version,
        { events: [told(), told()] },
      );
    }
  }
  await store.events.compactBefore(Math.floor(content.length / 3));
}

Deno.test("a copy through both adapters and back holds the same, with versions and sequences", () =>
  withFolder(async (folder) => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(contents, fc.constantFrom(1, 3), async (content, sequenceStep) => {
        const path = join(folder, `${run++}.db`);
        const first = await used(openMemoryStore({ sequenceStep }));
        await write(first, content);
        const second = openSqliteStore({ path });
        const third = openMemoryStore();
        try {
          const { contents, copied } = await copyStore({ from: first, to: second });
          assert.deepEqual(await contentsOf(second), contents);
          assert.equal((await copyStore({ from: second, to: third })).copied, copied);
          assert.deepEqual(await contentsOf(third), await contentsOf(first));
          assert.equal(await third.events.head(), await first.events.head());
          for (const { id, changes } of content) {
            const found = await third.environments.get(`environments/${id}`);
            assert.equal(found?.version, changes + 1);
            assert.deepEqual(found, await first.environments.get(`environments/${id}`));
          }
          // A copy is a store like any other: its next event comes after all that it has.
          const head = await third.events.head();
          await third.events.append([anEvent("later")]);
          const [next] = await events(third, head);
          assert.ok(next && next.sequence > head);
        } finally {
          await Promise.all([first.close(), second.close(), third.close()]);
        }
      }),
      { numRuns: 15 },
    );
  }));

Deno.test("an interrupted copy goes on where it was, and no platform starts on it before", async () => {
  const from = await used(openMemoryStore());
  for (let index = 0; index < 1_200; index++) {
    const id = `e-${index}`;
    await from.environments.create(anEnvironment(id), { events: [anEvent(id)] });
  }
  const to = openMemoryStore();
  const interrupted = copyStore({
    from,
    to,
    onProgress(part, copied) {
      if (part === "events" && copied > 1_500) throw new Error("the power fails");
    },
  });
  await assert.rejects(interrupted, /the power fails/);
  const tools = { clock: new FakeClock(), ids: new SeededIds(2, 0) };
  await rejectsWith(openInstallation(to, tools), "FAILED_PRECONDITION", "STORE_INCOMPLETE");
  await rejectsWith(newInstallation(to, tools), "FAILED_PRECONDITION", "STORE_INCOMPLETE");
  const { copied } = await copyStore({ from, to });
  assert.ok(copied < 1_200, `${copied} of 2400 were left to copy`);
  assert.deepEqual(await contentsOf(to), await contentsOf(from));
  const installation = await openInstallation(from, tools);
  assert.equal(await openInstallation(to, tools), installation, "the platform is the same");
  assert.equal((await copyStore({ from, to })).copied, 0, "a complete copy is only compared");
  await Promise.all([from.close(), to.close()]);
});

Deno.test("a copy that differs is found by its checksum, and is not started on", async (t) => {
  const spoilt: readonly (readonly [
    what: string,
    spoil: (to: Store) => Promise<unknown>,
    message: RegExp,
  ])[] = [
    ["another value", async (to) => {
      const { value, version } = (await to.environments.get("environments/a"))!;
      await to.environments.load?.([{ value: { ...value, uid: "another" }, version }]);
    }, /environments have other contents/],
    ["another version", async (to) => {
      const { value } = (await to.environments.get("environments/a"))!;
      await to.environments.replace(value, 1);
    }, /environments have other contents/],
    [
      "a document too many",
      (to) =>
        to.orphans.load!([{
          value: {
            name: "orphans/x",
            target: "",
            targetUid: "x",
            objects: [],
            operation: "",
            createTime: 0,
          },
          version: 1,
        }]),
      /of 0 orphans the copy has 1/,
    ],
    [
      "an event too many",
      (to) => to.events.append([anEvent("more")]),
      /of 1 events the copy has 2/,
    ],
  ];
  for (const [what, spoil, message] of spoilt) {
    await t.step(what, async () => {
      const from = await used(openMemoryStore());
      await from.environments.create(anEnvironment("a"), { events: [anEvent("a")] });
      const to = openMemoryStore();
      // It is spoilt when everything is copied and nothing is compared yet.
      const { installations } = to;
      const spoiling: Store["installations"] = {
        create: (...call) => installations.create(...call),
        get: (...call) => installations.get(...call),
        list: (...call) => installations.list(...call),
        count: (...call) => installations.count(...call),
        async replace(value, ...call) {
          const stored = await installations.replace(value, ...call);
          if (!value.incomplete) await spoil(to);
          return stored;
        },
        delete: (...call) => installations.delete(...call),
      };
      const error = await rejectsWith(
        copyStore({ from, to: { ...to, installations: spoiling } }),
        "DATA_LOSS",
        "COPY_DIFFERS",
      );
      assert.match(error.message, message);
      assert.equal((await to.installations.get(INSTALLATION))?.value.incomplete, true);
      await Promise.all([from.close(), to.close()]);
    });
  }
});

Deno.test("a copy is refused while operations run, and into a store that holds something else", async () => {
  const from = await used(openMemoryStore());
  const to = openMemoryStore();
  await rejectsWith(
    copyStore({ from: to, to: from }),
    "FAILED_PRECONDITION",
    "STORE_MISSING",
  );
  for (const state of ["PENDING", "RUNNING", "CANCELLING"] as const) {
    const { value, version } = await from.operations.create(anOperation(state, { state }));
    const running = await rejectsWith(
      copyStore({ from, to }),
      "FAILED_PRECONDITION",
      "OPERATIONS_RUNNING",
    );
    assert.match(running.message, new RegExp(`1 operations .* 'operations/${state}'`));
    await from.operations.delete(value.name, version);
  }
  assert.deepEqual(await events(to), []);
  await to.environments.create(anEnvironment("mine"));
  await rejectsWith(copyStore({ from, to }), "FAILED_PRECONDITION", "STORE_NOT_EMPTY");
  await used(to);
  const other = openMemoryStore();
  await openInstallation(other, { clock: new FakeClock(), ids: new SeededIds(1, 7) });
  await rejectsWith(copyStore({ from: other, to }), "FAILED_PRECONDITION", "STORE_NOT_EMPTY");
  await Promise.all([from.close(), to.close(), other.close()]);
});

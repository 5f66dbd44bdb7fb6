import assert from "node:assert/strict";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import {
  anEnvironment,
  anEvent,
  anOperation,
  aSpec,
  aWorkload,
} from "../../tests/fakes/documents.ts";
import { withPlatform } from "../../tests/fakes/platform.ts";
import { SCENARIOS } from "../../tests/fakes/scenarios.ts";
import { checkStore } from "./check_store.ts";

const LATER = Date.UTC(2040, 0, 1);

const revision = (workload: string, number: number) => ({
  name: `${workload}/revisions/${number}`,
  number,
  spec: aSpec(),
  restartToken: "",
  operation: "operations/1",
  createTime: 0,
});

const WEB = "environments/dev/workloads/web";

/** An environment with a workload, as nothing is wrong with. */
async function sound(store: Store): Promise<void> {
  await store.environments.create(anEnvironment("dev"));
  await store.workloads.create(aWorkload("dev", "web"));
  await store.revisions.create(revision(WEB, 1));
  await store.operations.create(anOperation("done", { state: "SUCCEEDED", requestId: "r1" }));
  await store.events.append([anEvent("created", {
    resource: { kind: "environment", value: anEnvironment("dev"), version: 1 },
  })]);
}

const snapshot = (version: number, overrides: Parameters<typeof anEnvironment>[1] = {}) =>
  anEvent("changed", {
    resource: { kind: "environment", value: anEnvironment("dev", overrides), version },
  });

const VIOLATIONS: readonly (readonly [
  what: string,
  violate: (store: Store) => Promise<unknown>,
  found: readonly (readonly [check: string, subject: string])[],
])[] = [
  ["nothing", () => Promise.resolve(), []],
  [
    "a running operation on the platform, which locks no resource",
    (store) =>
      store.operations.create(
        anOperation("x", { kind: "platform.claim", target: "clusters/default", state: "RUNNING" }),
      ),
    [],
  ],
  [
    "a lock of an operation that is not there",
    (store) => store.environments.create(anEnvironment("a", { currentOperation: "operations/x" })),
    [["LOCK_WITHOUT_OPERATION", "environments/a"]],
  ],
  [
    "a lock of an operation that has ended",
    (store) =>
      store.environments.create(anEnvironment("a", { currentOperation: "operations/done" })),
    [["LOCK_WITHOUT_OPERATION", "environments/a"]],
  ],
  ["a lock of an operation on something else", async (store) => {
    const holder = anOperation("x", { state: "RUNNING", target: "environments/b" });
    await store.operations.create(holder);
    const lock = { currentOperation: holder.name };
    await store.environments.create(anEnvironment("a", lock));
    await store.environments.create(anEnvironment("b", lock));
  }, [["LOCK_WITHOUT_OPERATION", "environments/a"]]],
  [
    "a queue of an operation that is not there",
    (store) => store.environments.create(anEnvironment("a", { nextOperation: "operations/x" })),
    [["LOCK_WITHOUT_OPERATION", "environments/a"]],
  ],
  [
    "an operation without its lock",
    (store) => store.operations.create(anOperation("x", { state: "RUNNING" })),
    [["OPERATION_WITHOUT_LOCK", "operations/x"]],
  ],
  [
    "an operation without its resource",
    (store) => store.operations.create(anOperation("x", { target: "environments/gone" })),
    [["OPERATION_WITHOUT_LOCK", "operations/x"]],
  ],
  [
    "a workload without its revision",
    (store) => store.revisions.delete(`${WEB}/revisions/1`, 1),
    [["REVISIONS_INCOMPLETE", WEB]],
  ],
  [
    "a revision after the last",
    (store) => store.revisions.create(revision(WEB, 2)),
    [["REVISIONS_INCOMPLETE", WEB]],
  ],
  [
    "a revision without its workload",
    (store) => store.revisions.create(revision("environments/dev/workloads/gone", 1)),
    [["RECORD_ORPHANED", "environments/dev/workloads/gone"]],
  ],
  [
    "a workload without its environment",
    (store) => store.workloads.create(aWorkload("gone", "web", { activeRevision: 0 })),
    [["RECORD_ORPHANED", "environments/gone/workloads/web"]],
  ],
  [
    "an operation of an unknown kind",
    (store) =>
      store.operations.create(
        anOperation("x", { state: "SUCCEEDED", kind: "moon.landing" as "environment.create" }),
      ),
    [["RECORD_UNKNOWN", "operations/x"]],
  ],
  [
    "an environment in an unknown state",
    (store) => store.environments.create(anEnvironment("a", { state: "MELTED" as "READY" })),
    [["RECORD_UNKNOWN", "environments/a"]],
  ],
  [
    "a record of another kind's name",
    (store) => store.environments.create({ ...anEnvironment("a"), name: "operations/a" }),
    [["RECORD_UNKNOWN", "operations/a"]],
  ],
  [
    "a revision whose number is not its name's",
    (store) => store.revisions.create({ ...revision(WEB, 9), number: 1 }),
    [["RECORD_UNKNOWN", `${WEB}/revisions/9`]],
  ],
  [
    "an event newer than its record",
    (store) => store.events.append([snapshot(2)]),
    [["EVENTS_AHEAD", "environments/dev"]],
  ],
  [
    "an event of another environment of the name",
    (store) => store.events.append([snapshot(1, { uid: "another" })]),
    [["EVENTS_AHEAD", "environments/dev"]],
  ],
  [
    "events of a record that is not there",
    (store) => store.environments.delete("environments/dev", 1),
    [["RECORD_ORPHANED", WEB], ["EVENTS_AHEAD", "environments/dev"]],
  ],
];

Deno.test("checkStore() finds each violation, and says what to do", async (t) => {
  for (const [what, violate, expected] of VIOLATIONS) {
    await t.step(what, async () => {
      const store = openMemoryStore();
      await sound(store);
      await violate(store);
      const { findings } = await checkStore(store, LATER);
      assert.deepEqual(findings.map(({ check, subject }) => [check, subject]), expected);
      for (const { remedy } of findings) assert.ok(remedy.length > 10, remedy);
      await store.close();
    });
  }
});

Deno.test("checkStore() finds nothing in a change that has just begun", async () => {
  const store = openMemoryStore();
  await sound(store);
  const { createTime } = await store.operations.create(anOperation("x")).then((it) => it.value);
  assert.deepEqual((await checkStore(store, createTime + 1_000)).findings, []);
  assert.equal((await checkStore(store, createTime + 61_000)).findings.length, 1);
  await store.close();
});

Deno.test("checkStore() finds nothing in what a platform has written", async (t) => {
  for (const { title, prepare, request } of SCENARIOS) {
    await t.step(title, () =>
      withPlatform(async (platform) => {
        await prepare(platform);
        await platform.ended(await request(platform));
        const { findings, records, events } = await checkStore(platform.store, LATER);
        assert.deepEqual(findings, []);
        assert.ok(records > 0 && events > 0);
      }));
  }
});

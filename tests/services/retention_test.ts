/** History is deleted after the retention time, except for what may still be needed. */
import assert from "node:assert/strict";
import { isMpcError } from "@mpc/domain";
import { deleteEnvironment, updateEnvironment } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { Retention } from "@mpc/worker";
import fc from "fast-check";
import { anOperation } from "../fakes/documents.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { create } from "../fakes/scenarios.ts";

const DAY_MS = 24 * 3_600_000;
const KEEP_MS = 90 * DAY_MS;

const retentionOf = ({ store, clock }: Pick<Platform, "store" | "clock">) =>
  new Retention({ store, clock, keepMs: KEEP_MS, signal: new AbortController().signal });

const relabel = ({ deps, caller }: Platform, team: string) =>
  updateEnvironment(deps, caller, {
    name: "environments/dev",
    etag: "",
    change: { labels: { team } },
  });

const remove = ({ deps, caller }: Platform) =>
  deleteEnvironment(deps, caller, {
    name: "environments/dev",
    etag: "",
    force: false,
    abandon: false,
    allowMissing: false,
    timeoutMs: null,
  });

async function kindsOf({ store }: Platform): Promise<readonly string[]> {
  const { items } = await store.operations.list({ limit: 100 });
  return items.map(({ value }) => value.kind).toSorted();
}

/** The sequences that are still in the log. */
async function kept({ store }: Pick<Platform, "store">): Promise<readonly number[]> {
  try {
    return (await store.events.read(0, 100_000)).map(({ time }) => time);
  } catch (error) {
    assert.ok(isMpcError(error, "OUT_OF_RANGE"), String(error));
    const events = await store.events.read(Number(error.metadata["compacted"]), 100_000);
    return events.map(({ time }) => time);
  }
}

Deno.test("operations are deleted after the retention time, except for the last of each resource", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    const last = await platform.ended(await relabel(platform, "api"));
    await platform.clock.advance(KEEP_MS - 1_000);
    await retentionOf(platform).pass();
    assert.deepEqual(await kindsOf(platform), ["environment.create", "environment.update"]);
    await platform.clock.advance(DAY_MS);
    await retentionOf(platform).pass();
    assert.deepEqual(await kindsOf(platform), ["environment.update"]);
    const { state } = await platform.operation(last.name);
    assert.equal(state, "SUCCEEDED", "the operation behind the current state can be explained");
  }));

Deno.test("nothing of a deleted resource is kept forever, and watchers see the deletions", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await remove(platform));
    await platform.clock.advance(KEEP_MS + DAY_MS);
    const before = await platform.store.events.head();
    await retentionOf(platform).pass();
    assert.deepEqual(await kindsOf(platform), []);
    const told = await platform.store.events.read(before, 100);
    assert.deepEqual(
      told.map(({ type, reason, actor }) => [type, reason, actor]),
      Array(2).fill(["DELETED", "OperationForgotten", "system:retention"]),
    );
    assert.equal((await kept(platform)).length, 2, "all earlier events are too old");
  }));

Deno.test("an operation that has not ended is kept, however old it is", () =>
  withPlatform(async (platform) => {
    await platform.crash();
    await create(platform);
    await platform.clock.advance(2 * KEEP_MS);
    await retentionOf(platform).pass();
    assert.deepEqual(await kindsOf(platform), ["environment.create"]);
    await platform.restart();
  }));

Deno.test("a request id is free again when its operation is deleted", () =>
  withPlatform(async (platform) => {
    const requestId = "0c7ff1a6-7d62-4d58-a8a3-4c1ad84e4b3c";
    const first = await platform.ended(await create(platform, { requestId }));
    await platform.ended(await remove(platform));
    await platform.clock.advance(KEEP_MS + DAY_MS);
    await retentionOf(platform).pass();
    const second = await platform.ended(await create(platform, { requestId }));
    assert.notEqual(second.name, first.name);
  }));

Deno.test("workers that delete history at the same time do not hinder one another", () =>
  withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await remove(platform));
    await platform.clock.advance(KEEP_MS + DAY_MS);
    await Promise.all([retentionOf(platform).pass(), retentionOf(platform).pass()]);
    assert.deepEqual(await kindsOf(platform), []);
  }));

Deno.test("exactly the events that are too old are deleted, also from a long log, and repeatedly", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: -100, max: 100 }), { maxLength: 40 }),
      fc.constantFrom(0, 25_000),
      fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 3 }),
      async (minutes, before, later) => {
        const store = openMemoryStore();
        const clock = new FakeClock();
        const edge = clock.now() - KEEP_MS;
        const ages = minutes.toSorted((a, b) => a - b).map((each) => edge + each * 60_000);
        const times = [...Array(before).fill(edge - DAY_MS), ...ages];
        await store.events.append(times.map(eventAt));
        const retention = retentionOf({ store, clock });
        await retention.pass();
        assert.deepEqual(await kept({ store }), ages.filter((time) => time >= edge));
        for (const more of later) {
          await clock.advance(more * 60_000);
          await retention.pass();
          assert.deepEqual(
            await kept({ store }),
            ages.filter((time) => time >= clock.now() - KEEP_MS),
          );
        }
        await store.close();
      },
    ),
    { numRuns: 30 },
  ));

const eventAt = (time: number) => ({
  time,
  type: "NOTICED" as const,
  reason: "Ready" as const,
  message: "",
  target: "environments/dev",
  operation: null,
  actor: "ann",
  resource: null,
});

Deno.test("an operation is kept until the end of its time, and none on a later page is missed", async () => {
  const store = openMemoryStore();
  const clock = new FakeClock();
  const since = clock.now() - KEEP_MS;
  const ended = (id: string, endTime: number) =>
    store.operations.create(
      anOperation(id, { state: "SUCCEEDED", createTime: since - DAY_MS, endTime }),
    );
  for (let index = 0; index < 250; index++) await ended(`old-${index}`, since - 1);
  await ended("z-edge", since);
  await retentionOf({ store, clock }).pass();
  const { items } = await store.operations.list({ limit: 300 });
  assert.deepEqual(items.map(({ value }) => value.name), ["operations/z-edge"]);
});

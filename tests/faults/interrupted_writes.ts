/**
 * Every write of every operation kind fails in every way: alone, and while another change of the
 * same resources, or a repetition of the request, comes in at every point; the janitor passes all
 * the time. Every acknowledged operation must exist and end, nothing may be left that does not end,
 * and the clean-up that follows must leave nothing at all.
 */
import assert from "node:assert/strict";
import { isMpcError } from "@mpc/domain";
import {
  cancelOperation,
  listLeftovers,
  type MutationResult,
  sleepUnlessAborted,
} from "@mpc/services";
import { FailingStore, LATE_MS, type WriteFault } from "../fakes/failing_store.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { Platform } from "../fakes/platform.ts";
import { requestIdOf } from "../fakes/request_id.ts";
import {
  deploy,
  removeEnvironment,
  removeWorkload,
  type Scenario,
  sweep,
} from "../fakes/scenarios.ts";
import { openTestStore } from "../fakes/test_store.ts";
import { leftBehindBy } from "./left_behind.ts";

/** Longer than an admission may take. */
export const LATER_MS = 11_000;

/** The interval of the janitor's passes; a late write is made after several passes. */
const PASS_MS = 4_000;

const REQUEST_ID = requestIdOf(1);

type Change = (platform: Platform) => Promise<MutationResult | undefined>;

/** The scenario's own request again, as sent by a client that got no response. */
const SAME_REQUEST = "the same request";

/** Changes that come in during another one. */
export const INTRUDERS: Readonly<Record<string, Change | typeof SAME_REQUEST>> = {
  "the same request comes again": SAME_REQUEST,
  "the environment is deleted": (platform) => removeEnvironment(platform, { allowMissing: true }),
  "the environment is abandoned": (platform) =>
    removeEnvironment(platform, { allowMissing: true, abandon: true }),
  "the workload is deleted": (platform) => removeWorkload(platform, { allowMissing: true }),
  "the workload is deployed": (platform) => deploy(platform, "nginx:other", 1),
  "what runs is cancelled": async ({ deps, caller, store }) => {
    const live = { op: "=" as const, path: ["endTime"], value: null };
    const { items } = await store.operations.list({ filter: live, limit: 10 });
    for (const { value } of items) {
      await cancelOperation(deps, caller, { name: value.name, reason: "", validateOnly: false });
    }
    return undefined;
  },
};

export interface Interruption {
  readonly scenario: Scenario;
  /** The write that fails, from 1; undefined for none. */
  readonly fault?: { readonly kind: WriteFault; readonly at: number };
  /** The other change, the number of the write with which it comes, and how much later. */
  readonly intruder?: {
    readonly change: Change | typeof SAME_REQUEST;
    readonly at: number;
    readonly afterMs?: number;
  };
}

/** @returns the number of writes that the changes made, including those of the janitor */
export async function interrupt({ scenario, fault, intruder }: Interruption): Promise<number> {
  const clock = new FakeClock();
  const store = new FailingStore(await openTestStore(), clock);
  const platform = await Platform.start({ store, clock });
  const acknowledged = new Set<string>();
  const answersOfScenario = new Set<string>();
  const call = async (change: Change, answers = acknowledged) => {
    try {
      const result = await change(platform);
      if (result?.operation) answers.add(result.operation.value.name);
    } catch (error) {
      if (!isMpcError(error) || error.code === "INTERNAL") throw error;
    }
  };
  const ask = () =>
    call((platform) => scenario.request(platform, { requestId: REQUEST_ID }), answersOfScenario);
  const isSweep = scenario.kind === "platform.sweep";
  const stop = new AbortController();
  try {
    await scenario.prepare(platform);
    const housekeeping = passAgainAndAgain(platform, stop.signal);
    const intruding: Promise<void>[] = [];
    if (intruder) {
      const { change, at, afterMs = 0 } = intruder;
      const come = async () => {
        if (afterMs > 0) await clock.sleep(afterMs);
        await (change === SAME_REQUEST ? ask() : call(change));
      };
      store.when(at, () => intruding.push(come()));
    }
    store.plan(fault?.kind ?? "crash", fault?.at ?? Infinity);
    const asked = ask();
    await platform.settle();
    // Late writes are made now, and the callers that wait for them continue.
    for (let ms = 0; ms <= LATE_MS + LATER_MS; ms += PASS_MS) {
      await clock.advance(PASS_MS);
      await platform.settle();
    }
    await Promise.all([asked, ...intruding]);
    await platform.settle();
    const { writes } = store;
    stop.abort();
    await housekeeping;
    if (fault?.kind === "crash") await platform.crash();
    store.heal();
    if (fault?.kind === "crash") await platform.restart();
    await settleAll(platform);
    assert.ok(answersOfScenario.size <= 1, "the same request returns the same operation");
    for (const name of [...acknowledged, ...answersOfScenario]) await platform.operation(name);
    await assertNoFaultOfOurs(platform);
    const { items } = await platform.store.operations.list({ limit: 1_000 });
    const isLeft = leftBehindBy(items.map(({ value }) => value));
    await platform.assertSound((finding) =>
      finding.remedy === "mpctl doctor --sweep"
        ? isSweep
        : finding.invariant === "DELETION_FAILED" && isLeft(finding)
    );
    await assertCleanSlate(platform);
    return writes;
  } finally {
    stop.abort();
    store.heal();
    await platform.close();
  }
}

/** Repeats the janitor's passes, like the program; the next pass does what one cannot. */
async function passAgainAndAgain(platform: Platform, signal: AbortSignal): Promise<void> {
  const janitor = platform.janitor();
  while (await sleepUnlessAborted(platform.clock, PASS_MS, signal)) {
    try {
      await janitor.pass();
    } catch (error) {
      if (!signal.aborted && !isMpcError(error, "UNAVAILABLE")) throw error;
    }
  }
}

/** Asserts that no operation ended because of a bug, whatever the store did. */
async function assertNoFaultOfOurs({ store }: Platform): Promise<void> {
  const { items } = await store.operations.list({ limit: 100 });
  const faults = items.flatMap(({ value: { error } }) => error?.code === "INTERNAL" ? [error] : []);
  assert.deepEqual(faults, []);
}

/** Two passes of the janitor, with time between them. */
async function settleAll(platform: Platform): Promise<void> {
  for (let pass = 0; pass < 2; pass++) {
    await platform.settle();
    await platform.clock.advance(LATER_MS);
    await platform.janitor().pass();
  }
  await platform.settle();
}

/** Asserts that everything can be deleted, and that nothing is left then. */
async function assertCleanSlate(platform: Platform): Promise<void> {
  const { store, cluster, caller } = platform;
  const removed = await removeEnvironment(platform, { allowMissing: true });
  await platform.settle();
  const { state, error } = await platform.operation(removed.operation!.value.name);
  assert.equal(state, "SUCCEEDED", `the environment can be deleted: ${error?.message}`);
  const { leftovers } = await listLeftovers(platform.deps, caller);
  if (leftovers.length > 0) await platform.ended(await sweep(platform));
  await settleAll(platform);
  const left = {
    environments: await store.environments.count({}),
    workloads: await store.workloads.count({}),
    revisions: await store.revisions.count({}),
    orphans: await store.orphans.count({}),
    objects: (await cluster.inventory(caller)).objects.map(({ object }) => object),
  };
  const nothing = { environments: 0, workloads: 0, revisions: 0, orphans: 0, objects: [] };
  assert.deepEqual(left, nothing, "after its deletion nothing is left");
}

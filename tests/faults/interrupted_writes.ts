/**
 * Every write of every operation kind goes wrong in every way, alone and while another change of
 * the same resources comes in at every point. Nothing may be left that does not end, and the
 * clean-up that follows leaves nothing at all.
 */
import assert from "node:assert/strict";
import { isMpcError } from "@mpc/domain";
import { cancelOperation, type MutationResult } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { FailingStore, type WriteFault } from "../fakes/failing_store.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { Platform } from "../fakes/platform.ts";
import { deploy, removeEnvironment, removeWorkload, type Scenario } from "../fakes/scenarios.ts";

/** Older than an admission may be. */
const LATER_MS = 11_000;

type Change = (platform: Platform) => Promise<MutationResult | undefined>;

/** Changes that come in while another is under way. */
export const INTRUDERS: Readonly<Record<string, Change>> = {
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
  /** The write that goes wrong, from 1; none where undefined. */
  readonly fault?: { readonly kind: WriteFault; readonly at: number };
  /** What comes in, and with which write, from 1. */
  readonly intruder?: { readonly change: Change; readonly at: number };
}

/** @returns how many writes the changes made */
export async function interrupt({ scenario, fault, intruder }: Interruption): Promise<number> {
  const clock = new FakeClock();
  const store = new FailingStore(openMemoryStore(), clock);
  const platform = await Platform.start({ store, clock });
  const acknowledged: string[] = [];
  const call = async (change: Change) => {
    try {
      const result = await change(platform);
      if (result?.operation) acknowledged.push(result.operation.value.name);
    } catch (error) {
      if (!isMpcError(error) || error.code === "INTERNAL") throw error;
    }
  };
  try {
    await scenario.prepare(platform);
    const intruding: Promise<void>[] = [];
    if (intruder) store.when(intruder.at, () => intruding.push(call(intruder.change)));
    store.plan(fault?.kind ?? "crash", fault?.at ?? Infinity);
    const asked = call((platform) => scenario.request(platform));
    await platform.settle();
    // What is late comes now.
    await clock.advance(LATER_MS);
    await platform.settle();
    await Promise.all([asked, ...intruding]);
    await platform.settle();
    const { writes } = store;
    if (fault?.kind === "crash") await platform.crash();
    store.heal();
    if (fault?.kind === "crash") await platform.restart();
    await settleAll(platform);
    for (const name of acknowledged) await platform.operation(name);
    await assertNoFaultOfOurs(platform);
    await platform.assertSound();
    await assertCleanSlate(platform);
    return writes;
  } finally {
    store.heal();
    await platform.close();
  }
}

/** Whatever the store did, no operation ended by a fault of this program. */
async function assertNoFaultOfOurs({ store }: Platform): Promise<void> {
  const { items } = await store.operations.list({ limit: 100 });
  const faults = items.flatMap(({ value: { error } }) => error?.code === "INTERNAL" ? [error] : []);
  assert.deepEqual(faults, []);
}

/** Two passes of the janitor, as time goes by. */
async function settleAll(platform: Platform): Promise<void> {
  for (let pass = 0; pass < 2; pass++) {
    await platform.settle();
    await platform.clock.advance(LATER_MS);
    await platform.janitor().pass();
  }
  await platform.settle();
}

/** Whatever was left can be deleted, and then nothing is left. */
async function assertCleanSlate(platform: Platform): Promise<void> {
  const { store, cluster, caller } = platform;
  const removed = await removeEnvironment(platform, { allowMissing: true });
  await platform.settle();
  const { state, error } = await platform.operation(removed.operation!.value.name);
  assert.equal(state, "SUCCEEDED", `the environment can be deleted: ${error?.message}`);
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

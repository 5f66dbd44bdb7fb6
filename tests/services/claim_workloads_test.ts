/** How the deletion of an environment claims workloads that other operations hold. */
import assert from "node:assert/strict";
import type { Operation } from "@mpc/domain";
import { environmentEvent, operationEvent, workloadEvent } from "@mpc/services";
import { claimWorkloads } from "../../services/sagas/claim_workloads.ts";
import type { StepContext } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { afterReplace } from "../fakes/after_replace.ts";
import { anEnvironment, anOperation, aWorkload } from "../fakes/documents.ts";
import { settle } from "../fakes/fake_clock.ts";
import { withPlatform } from "../fakes/platform.ts";

const DELETION = "operations/deletion";
const HOLDER = "operations/holder";
const WORKLOAD = "environments/dev/workloads/web";
const FACTS = { message: "", reason: "Ready" as const, operation: HOLDER, actor: "ann", time: 0 };

/** A workload whose lock a running operation holds, and that operation. */
async function held(store: Store): Promise<void> {
  const web = aWorkload("dev", "web", { currentOperation: HOLDER, state: "DEPLOYING" });
  await store.workloads.create(web);
  const holder: Partial<Operation> = { kind: "workload.deploy", target: WORKLOAD };
  await store.operations.create(anOperation("holder", { ...holder, state: "RUNNING" }));
}

/** Releases the workload, like an engine when an operation ends. */
async function release(store: Store): Promise<void> {
  const { value, version } = (await store.workloads.get(WORKLOAD))!;
  const free = { ...value, currentOperation: null, state: "READY" as const };
  const events = [workloadEvent({ value: free, version: version + 1 }, FACTS)];
  await store.workloads.replace(free, version, { events });
}

/** Claims the workloads of `dev` during `during`. @returns whether the claim has ended */
async function claims(
  store: Store,
  during: () => Promise<void> = () => Promise.resolve(),
): Promise<boolean> {
  let claimed = false;
  await withPlatform(async ({ provider, clock }) => {
    const stop = new AbortController();
    const context: StepContext = {
      operation: DELETION,
      target: "environments/dev",
      actor: "ann",
      attempt: 1,
      signal: stop.signal,
      store,
      provider,
      now: () => clock.now(),
      outputs: {},
      lastHeartbeat: null,
      made: null,
      heartbeat: () => {},
    };
    const claiming = claimWorkloads(context, "environments/dev").then(
      () => claimed = true,
      (error) => {
        if (!stop.signal.aborted) throw error;
      },
    );
    await settle(20);
    await during();
    await settle(20);
    stop.abort();
    await claiming;
  });
  return claimed;
}

Deno.test("a release right after the claim's first read is not missed", async () => {
  const bare = openMemoryStore();
  await held(bare);
  const store = afterReplace(bare, () => release(bare));
  assert.equal(await claims(store), true, "the claim ends");
  const { value } = (await bare.workloads.get(WORKLOAD))!;
  assert.deepEqual([value.currentOperation, value.state], [DELETION, "DELETING"]);
});

Deno.test("a claim stops the holder, waits for the release, and then holds the workload", async () => {
  const store = openMemoryStore();
  await held(store);
  assert.equal(await claims(store), false, "it waits for the running operation");
  const holder = (await store.operations.get(HOLDER))!.value;
  assert.deepEqual([holder.state, holder.cancellation?.reason], [
    "CANCELLING",
    `preempted by ${DELETION}`,
  ]);
  assert.equal(await claims(store, () => release(store)), true);
  assert.equal((await store.workloads.get(WORKLOAD))!.value.currentOperation, DELETION);
});

Deno.test("a claim continues when the record of the holder is dropped", async () => {
  const store = openMemoryStore();
  await held(store);
  const claimed = await claims(store, async () => {
    const stored = (await store.operations.get(HOLDER))!;
    const dropped = operationEvent(stored, { ...FACTS, type: "DELETED" });
    await store.operations.delete(HOLDER, stored.version, { events: [dropped] });
  });
  assert.equal(claimed, true);
});

Deno.test("a claim leaves the workloads of other environments alone", async () => {
  const store = openMemoryStore();
  await store.workloads.create(aWorkload("dev2", "web"));
  await store.workloads.create(aWorkload("dev", "web"));
  const other = anEnvironment("dev2");
  await store.environments.create(other, {
    events: [environmentEvent({ value: other, version: 1 }, FACTS)],
  });
  assert.equal(await claims(store), true);
  const owner = async (name: string) => (await store.workloads.get(name))!.value.currentOperation;
  assert.equal(await owner("environments/dev2/workloads/web"), null);
  assert.equal(await owner(WORKLOAD), DELETION);
});

Deno.test("a claim gives a deletion that waits for the workload its turn first", async () => {
  const store = openMemoryStore();
  const web = aWorkload("dev", "web", {
    currentOperation: HOLDER,
    nextOperation: "operations/waiting",
    state: "DEPLOYING",
  });
  await store.workloads.create(web);
  assert.equal(await claims(store), false);
  const { currentOperation, nextOperation } = (await store.workloads.get(WORKLOAD))!.value;
  assert.deepEqual([currentOperation, nextOperation], [HOLDER, "operations/waiting"]);
});

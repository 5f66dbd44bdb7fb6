/** A pass of a process that is paused in the middle, while another process takes its lease. */
import assert from "node:assert/strict";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { anEnvironment, anOperation } from "../../tests/fakes/documents.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { aWorkloadIntent } from "../../tests/fakes/intents.ts";
import { FakeKubeClient } from "../../tests/fakes/kubernetes/fake_kube_client.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";
import { SeededIds } from "../../tests/fakes/seeded_ids.ts";
import { FencedPasses, isLeaseLost } from "./fenced_passes.ts";
import { HeldLease, LEASE_MS } from "./hold_lease.ts";
import { DEPLOYMENT } from "../providers/kubernetes/client/kinds.ts";
import { KubernetesProvider } from "../providers/kubernetes/mod.ts";
import { Retention } from "./retention.ts";
import { sweepOrphans } from "./sweep_orphans.ts";

const ids = new SeededIds();

/** A process that does the housekeeping of a store. */
function process(store: Store) {
  const clock = new FakeClock();
  const lease = new HeldLease({ store, clock, ids, what: "housekeeping" });
  return { clock, lease, passes: new FencedPasses(store, lease) };
}

type Process = ReturnType<typeof process>;

/** Pauses a process until another one has its lease. */
async function pause(paused: Process, other: Process): Promise<void> {
  await other.lease.attempt();
  await Promise.all([paused, other].map(({ clock }) => clock.advance(LEASE_MS)));
  await other.lease.attempt();
  assert.equal(other.lease.token, 2);
}

Deno.test("a pass that is paused until its lease is lost writes nothing more", async () => {
  const store = openMemoryStore();
  const [paused, other] = [process(store), process(store)];
  await paused.lease.attempt();
  await paused.passes.run(async () => {
    await paused.passes.store.environments.create(anEnvironment("before"));
    await pause(paused, other);
    const late = async () => void await paused.passes.store.environments.create(anEnvironment("a"));
    const error = await rejectsWith(late(), "FAILED_PRECONDITION", "LEASE_LOST");
    assert.ok(isLeaseLost(error));
    const compact = async () => void await paused.passes.store.events.compactBefore(1);
    await rejectsWith(compact(), "FAILED_PRECONDITION", "LEASE_LOST");
  });
  const { items } = await store.environments.list({ limit: 10 });
  assert.deepEqual(items.map(({ value }) => value.name), ["environments/before"]);
});

Deno.test("a pass does not go on with a lease that its process has acquired anew", async () => {
  const store = openMemoryStore();
  const [paused, other] = [process(store), process(store)];
  await paused.lease.attempt();
  await paused.passes.run(async () => {
    await pause(paused, other);
    await other.lease[Symbol.asyncDispose]();
    // The first attempt finds out that the lease is lost.
    while (paused.lease.token === undefined) await paused.lease.attempt();
    assert.equal(paused.lease.token, 3);
    const late = async () => void await paused.passes.store.environments.get("environments/a");
    await rejectsWith(late(), "FAILED_PRECONDITION", "LEASE_LOST");
  });
  let ran = false;
  await paused.passes.run(async () => {
    ran = await paused.passes.store.environments.count({}) === 0;
  });
  assert.ok(ran, "the next pass has the new token");
});

Deno.test("retention that is paused deletes nothing, and ends without an error", async () => {
  const store = openMemoryStore();
  for (const id of ["a", "b", "c"]) {
    await store.operations.create(anOperation(id, { state: "FAILED", endTime: 1 }));
  }
  const [paused, other] = [process(store), process(store)];
  await paused.lease.attempt();
  const signal = new AbortController().signal;
  const retention = ({ clock, passes }: Process, over = passes.store) =>
    new Retention({ store: over, clock, keepMs: 1_000, signal });
  const { operations, ...rest } = paused.passes.store;
  const slow: Store = {
    ...rest,
    operations: Object.assign(Object.create(operations), {
      async list(query: Parameters<typeof operations.list>[0]) {
        const page = await operations.list(query);
        await pause(paused, other);
        return page;
      },
    }),
  };
  await paused.passes.run(() => retention(paused, slow).pass());
  assert.equal(await store.operations.count({}), 3);
  await other.passes.run(() => retention(other).pass());
  assert.equal(await store.operations.count({}), 0);
});

/** A cluster with what an abandoned workload has left, and its record. */
async function abandonedWorkload(store: Store) {
  const intent = aWorkloadIntent({ image: "web:1" });
  const target = `environments/${intent.environment}/workloads/${intent.workload}`;
  const client = new FakeKubeClient();
  const metadata = { name: intent.environment };
  client.server.update({ apiVersion: "v1", kind: "Namespace", metadata }, "test");
  const provider = new KubernetesProvider({
    ...{ client, clock: new FakeClock(), installation: "test", charts: null },
  });
  await provider.applyWorkload(intent, { signal: new AbortController().signal });
  await store.orphans.create({
    ...{ name: `orphans/${intent.uid}`, target, targetUid: intent.uid, objects: [] },
    ...{ operation: "operations/gone", createTime: 0 },
  });
  return { client, provider, deployments: () => client.server.list(DEPLOYMENT) };
}

Deno.test("a sweep that is paused after it has read the objects deletes none of them", async () => {
  const store = openMemoryStore();
  const { client, provider, deployments } = await abandonedWorkload(store);
  const [paused, other] = [process(store), process(store)];
  await paused.lease.attempt();
  const signal = new AbortController().signal;
  const list = client.list.bind(client);
  client.list = async (...of) => {
    const found = await list(...of);
    if (other.lease.token === undefined) await pause(paused, other);
    return found;
  };
  const sweep = ({ clock, passes }: Process) => () =>
    sweepOrphans(
      {
        store: passes.store,
        provider,
        clock,
        found: () => {},
        beforeDelete: () => passes.assertHeld(),
      },
      signal,
    );
  await paused.passes.run(sweep(paused));
  assert.equal(client.requests.get("delete"), undefined);
  assert.equal(deployments().length, 1);
  await other.passes.run(sweep(other));
  assert.deepEqual(deployments(), []);
  assert.equal(await store.orphans.count({}), 0);
});

Deno.test("a suspended process whose clock stood still asks the store before it deletes", async () => {
  const store = openMemoryStore();
  const [suspended, other] = [process(store), process(store)];
  await suspended.lease.attempt();
  await suspended.passes.run(async () => {
    await suspended.passes.assertHeld();
    await other.lease.attempt();
    await other.clock.advance(LEASE_MS);
    await other.lease.attempt();
    assert.equal(suspended.lease.token, 1, "its own clock says that it holds the lease");
    await rejectsWith(suspended.passes.assertHeld(), "FAILED_PRECONDITION", "LEASE_LOST");
  });
});

Deno.test("a sweep does not delete an object that has changed since it was read", async () => {
  const store = openMemoryStore();
  const { client, provider, deployments } = await abandonedWorkload(store);
  const { clock, lease, passes } = process(store);
  await lease.attempt();
  let edited = 0;
  const beforeDelete = async () => {
    await passes.assertHeld();
    const [deployment] = deployments();
    if (edited++ === 0) client.server.update(deployment!, "kubectl-edit");
  };
  const sweep = () =>
    sweepOrphans(
      { store, provider, clock, found: () => {}, beforeDelete },
      new AbortController().signal,
    );
  await passes.run(sweep);
  assert.equal(deployments().length, 1, "the edited object is left for the next pass");
  assert.equal(await store.orphans.count({}), 1);
  await passes.run(sweep);
  assert.deepEqual(deployments(), []);
});

Deno.test("a process without the lease makes no pass, and a failure of a pass is its own", async () => {
  const store = openMemoryStore();
  const [holder, other] = [process(store), process(store)];
  await holder.lease.attempt();
  await other.lease.attempt();
  await other.passes.run(() => assert.fail("it does not hold the lease"));
  await assert.rejects(holder.passes.run(() => Promise.reject(new Error("broken"))), /broken/);
});

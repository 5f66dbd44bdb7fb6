/** One process at a time does the housekeeping of a shared store. */
import assert from "node:assert/strict";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { FailingStore } from "../../tests/fakes/failing_store.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";
import { SeededIds } from "../../tests/fakes/seeded_ids.ts";
import { HeldLease, LEASE_MS } from "./hold_lease.ts";

const ids = new SeededIds();

const process = (store: Pick<Store, "leases">, clock = new FakeClock()) => ({
  clock,
  lease: new HeldLease({ store, clock, ids, what: "tests" }),
});

Deno.test("a lease is held by the first process, until that releases it", async () => {
  const store = openMemoryStore();
  const [one, other] = [process(store), process(store)];
  await one.lease.attempt();
  await other.lease.attempt();
  assert.deepEqual([one.lease.token, other.lease.token], [1, undefined]);
  await one.lease[Symbol.asyncDispose]();
  await other.lease.attempt();
  assert.deepEqual([one.lease.token, other.lease.token], [undefined, 2]);
  assert.equal((await store.leases.get("leases/tests"))?.value.token, 2);
});

Deno.test("of processes that start at once, one holds the lease", async () => {
  const store = openMemoryStore();
  const processes = Array.from({ length: 20 }, () => process(store));
  await Promise.all(processes.map(({ lease }) => lease.attempt()));
  assert.deepEqual(processes.map(({ lease }) => lease.token).filter(Boolean), [1]);
});

Deno.test("a lease that is renewed stays, and one that is not is taken over with a higher token", async () => {
  const store = openMemoryStore();
  const [one, other] = [process(store), process(store)];
  await one.lease.attempt();
  for (let round = 0; round < 10; round++) {
    await Promise.all([one, other].map(({ clock }) => clock.advance(LEASE_MS / 3)));
    await one.lease.attempt();
    await other.lease.attempt();
    assert.deepEqual([one.lease.token, other.lease.token], [1, undefined]);
  }
  await other.clock.advance(LEASE_MS - 1);
  await other.lease.attempt();
  assert.equal(other.lease.token, undefined);
  await other.clock.advance(1);
  await other.lease.attempt();
  assert.equal(other.lease.token, 2);
  await one.lease.attempt();
  assert.equal(one.lease.token, undefined, "the paused process learns that it has lost the lease");
});

Deno.test("a process that cannot renew its lease gives it up in time", async () => {
  const { clock, lease } = process(openMemoryStore());
  await lease.attempt();
  await clock.advance(LEASE_MS - 1);
  assert.equal(lease.token, 1);
  await clock.advance(1);
  assert.equal(lease.token, undefined, "another process may have taken it");
});

Deno.test("a store that is away for a moment costs no lease", async () => {
  const clock = new FakeClock();
  const store = new FailingStore(openMemoryStore(), clock);
  const { lease } = process(store, clock);
  await lease.attempt();
  store.plan("refused", 1);
  await rejectsWith(lease.attempt(), "UNAVAILABLE", "STORE_UNAVAILABLE");
  assert.equal(lease.token, 1);
  await lease.attempt();
  assert.equal(lease.token, 1);
  store.plan("answer lost", 1);
  await rejectsWith(lease.attempt(), "UNAVAILABLE", "STORE_UNAVAILABLE");
  await clock.advance(LEASE_MS - 1);
  await lease.attempt();
  await clock.advance(1);
  assert.equal(lease.token, 1, "its own renewal is not another holder's");
});

Deno.test("a started lease is renewed by itself, and released at the end", async () => {
  const store = openMemoryStore();
  const { clock, lease } = process(store);
  await lease.start();
  for (let round = 0; round < 10; round++) {
    await clock.advance(LEASE_MS / 3);
    assert.equal(lease.token, 1);
  }
  await lease[Symbol.asyncDispose]();
  assert.equal(clock.sleepers, 0);
  assert.equal((await store.leases.get("leases/tests"))?.value.holder, "");
});

Deno.test("whoever works by a lease learns when it is lost", async () => {
  const store = openMemoryStore();
  const [one, other] = [process(store), process(store)];
  assert.equal(one.lease.lost.aborted, true, "it has none");
  await one.lease.attempt();
  const { lost } = one.lease;
  for (let round = 0; round < 5; round++) {
    await one.clock.advance(LEASE_MS / 3);
    await one.lease.attempt();
  }
  assert.equal(lost, one.lease.lost, "a renewal goes on with it");
  await one.clock.advance(LEASE_MS - 1);
  assert.equal(lost.aborted, false);
  await one.clock.advance(1);
  assert.equal(lost.aborted, true, "it was not renewed in time");
  assert.equal(one.lease.lost.aborted, true);
  await one.lease.attempt();
  const again = one.lease.lost;
  assert.equal(again.aborted, false, "nobody else took it");
  await other.lease.attempt();
  await other.clock.advance(LEASE_MS);
  await other.lease.attempt();
  assert.equal(again.aborted, false);
  await one.lease.attempt();
  assert.equal(again.aborted, true, "another process has it");
  await Promise.all([one, other].map(({ lease }) => lease[Symbol.asyncDispose]()));
  assert.deepEqual([one.clock.sleepers, other.clock.sleepers], [0, 0]);
});

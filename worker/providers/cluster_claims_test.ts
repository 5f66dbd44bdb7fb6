/** One claim to one cluster, by stores that share it, that were copied, and that were restored. */
import assert from "node:assert/strict";
import { DEFAULT_CLUSTER, MpcError, NO_QUOTA } from "@mpc/domain";
import type { ProviderCall } from "@mpc/services";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { aWorkloadIntent } from "../../tests/fakes/intents.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";
import { SeededIds } from "../../tests/fakes/seeded_ids.ts";
import { claimedProvider } from "./claimed_provider.ts";
import { ClusterClaims, RENEW_MS, VALID_MS } from "./cluster_claims.ts";
import type { ClusterMark } from "./cluster_mark.ts";

const LOST = ["FAILED_PRECONDITION", "CLUSTER_CLAIMED_ELSEWHERE"] as const;
const CLAIM = `clusters/${DEFAULT_CLUSTER}`;
const call: ProviderCall = { signal: new AbortController().signal };

/** One cluster, and the processes that work on it. */
class World {
  readonly clock = new FakeClock();
  readonly cluster = new SimulatedProvider({
    clock: this.clock,
    delays: NO_DELAYS,
    statePath: null,
  });
  #processes = 0;

  /** The claims of a new process on a store. */
  process(store: Store, mark: ClusterMark = this.cluster.mark): ClusterClaims {
    const ids = new SeededIds(1, this.#processes++);
    const marks = new Map([[DEFAULT_CLUSTER, mark]]);
    return new ClusterClaims({ store, clock: this.clock, ids, marks });
  }

  async token(): Promise<string> {
    return (await this.cluster.mark.read(call)).text.split(" ")[0]!;
  }
}

async function inWorld(use: (world: World) => Promise<void>): Promise<void> {
  const world = new World();
  try {
    await use(world);
  } finally {
    await world.cluster.close();
  }
}

/** A store with the same claims, like a restored backup or a copied file. */
async function copyOf(store: Store): Promise<Store> {
  const copy = openMemoryStore();
  for (const { value } of (await store.claims.list({ limit: 10 })).items) {
    await copy.claims.create(value);
  }
  return copy;
}

const claimOf = async (store: Store) => (await store.claims.get(CLAIM))!.value;

Deno.test("a claim is renewed when it is due, and checked before a change that comes late", () =>
  inWorld(async (world) => {
    const store = openMemoryStore();
    const claims = world.process(store);
    await claims.assertHeld(DEFAULT_CLUSTER, call);
    const first = await world.token();
    assert.equal((await claimOf(store)).token, first);
    await claims.renew(call);
    assert.equal(await world.token(), first, "not yet due");
    await world.clock.advance(RENEW_MS);
    await claims.renew(call);
    const second = await world.token();
    assert.notEqual(second, first);
    await world.clock.advance(VALID_MS);
    await claims.assertHeld(DEFAULT_CLUSTER, call);
    assert.notEqual(await world.token(), second);
    await store.close();
  }));

Deno.test("processes that share a store hold one claim, also when all renew it at once", () =>
  inWorld(async (world) => {
    const store = openMemoryStore();
    const processes = Array.from({ length: 5 }, () => world.process(store));
    for (let round = 0; round < 20; round++) {
      await Promise.all(processes.map((claims) => claims.renew(call)));
      for (const claims of processes) await claims.assertHeld(DEFAULT_CLUSTER, call);
      const { token, next, lost } = await claimOf(store);
      assert.deepEqual([token, next, lost], [await world.token(), null, null]);
      await world.clock.advance(VALID_MS);
    }
    await store.close();
  }));

Deno.test("a copy of the database that runs beside it loses the cluster, and so does its original if it was slower", () =>
  inWorld(async (world) => {
    const original = openMemoryStore();
    const ours = world.process(original);
    await ours.renew(call);
    const copy = await copyOf(original);
    await world.clock.advance(VALID_MS);
    await ours.renew(call);
    const theirs = world.process(copy);
    const error = await rejectsWith(theirs.assertHeld(DEFAULT_CLUSTER, call), ...LOST);
    assert.match(error.message, /'mpctl doctor --claim default'$/);
    assert.notEqual((await claimOf(copy)).lost, null);
    await ours.assertHeld(DEFAULT_CLUSTER, call);
    // A copy that was made after the last renewal, and renews first.
    const late = await copyOf(original);
    await world.clock.advance(VALID_MS);
    await world.process(late).renew(call);
    await rejectsWith(ours.assertHeld(DEFAULT_CLUSTER, call), ...LOST);
    await Promise.all([original, copy, late].map((store) => store.close()));
  }));

Deno.test("a store that lost a cluster changes nothing there until it takes it over; then the other has lost it", () =>
  inWorld(async (world) => {
    const store = openMemoryStore();
    const before = world.process(store);
    await before.renew(call);
    const backup = await copyOf(store);
    await world.clock.advance(VALID_MS);
    await before.renew(call);
    const claims = world.process(backup);
    const provider = claimedProvider(world.cluster, DEFAULT_CLUSTER, claims);
    const dev = { environment: "dev", uid: "uid-dev", labels: {}, cluster: DEFAULT_CLUSTER };
    const web = { environment: "dev", uid: "uid-web", workload: "web" };
    const namespace = { ...dev, quota: NO_QUOTA };
    await world.cluster.applyNamespace(namespace, call);
    const seen = await world.cluster.inventory(call);
    await rejectsWith(provider.applyNamespace(namespace, call), ...LOST);
    await rejectsWith(provider.applyPolicies(namespace, call), ...LOST);
    await rejectsWith(provider.deletePolicies(dev, call), ...LOST);
    await rejectsWith(provider.deleteNamespace(dev, call), ...LOST);
    await rejectsWith(provider.deleteWorkloads([web], call), ...LOST);
    assert.deepEqual(await world.cluster.inventory(call), seen);
    assert.equal((await provider.deleteNamespace(dev, { ...call, dryRun: true })).length, 1);
    assert.equal((await provider.inventory(call)).objects.length, 1, "it can be read");
    await provider.claims!.takeOver(DEFAULT_CLUSTER, call);
    assert.deepEqual(await claimOf(backup).then(({ lost }) => lost), null);
    await provider.deleteNamespace(dev, call);
    await world.clock.advance(VALID_MS);
    await rejectsWith(before.assertHeld(DEFAULT_CLUSTER, call), ...LOST);
    const reasons = (await backup.events.read(0, 10)).map(({ reason }) => reason);
    assert.deepEqual(reasons, ["ClusterClaimLost", "ClusterClaimed"]);
    await Promise.all([store, backup].map((it) => it.close()));
  }));

Deno.test("a rollout ends with the reason when the claim is lost meanwhile, not while it cannot be checked", () =>
  inWorld(async (world) => {
    const store = openMemoryStore();
    const { mark } = world.cluster;
    let isAway = false;
    const claims = world.process(store, {
      read: (call) => isAway ? Promise.reject(away()) : mark.read(call),
      replace: (...change) => mark.replace(...change),
    });
    await claims.renew(call);
    const provider = claimedProvider(world.cluster, DEFAULT_CLUSTER, claims);
    const dev = { environment: "dev", uid: "uid-dev", labels: {}, cluster: DEFAULT_CLUSTER };
    await provider.applyNamespace({ ...dev, quota: NO_QUOTA }, call);
    const web = aWorkloadIntent({ image: "web:stuck", progressDeadlineMs: 3_600_000 });
    await provider.applyWorkload(web, call);
    let isOver = false;
    const rollout = rejectsWith(provider.awaitRollout(web, call), ...LOST)
      .finally(() => isOver = true);
    await world.clock.advance(10 * VALID_MS);
    assert.equal(isOver, false, "it renews the claim and goes on");
    isAway = true;
    await world.clock.advance(2 * VALID_MS);
    assert.equal(isOver, false, "it goes on while the claim cannot be checked");
    isAway = false;
    const copy = await copyOf(store);
    await world.process(copy).renew(call);
    await world.clock.advance(VALID_MS + RENEW_MS);
    const { metadata, message } = await rollout;
    assert.equal(metadata["made"], "", "it says that nothing is left to undo");
    assert.match(message, /'mpctl doctor --claim default'$/);
    assert.equal(world.clock.nextWake, undefined, "nothing goes on to check");
    // A caller that aborts gets its own reason.
    const ours = claimedProvider(world.cluster, DEFAULT_CLUSTER, world.process(copy));
    const stop = new AbortController();
    const stopped = rejectsWith(
      ours.awaitRollout(web, { signal: stop.signal }),
      "CANCELLED",
      "ABORTED_BY_CALLER",
    );
    await world.clock.advance(RENEW_MS);
    stop.abort();
    await stopped;
    await Promise.all([store, copy].map((it) => it.close()));
  }));

const away = () =>
  new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "no answer" });

Deno.test("a process killed at any point of a renewal leaves a claim that the next one holds", async (t) => {
  for (const point of ["before the cluster", "after the cluster"] as const) {
    await t.step(`killed ${point}`, () =>
      inWorld(async (world) => {
        const store = openMemoryStore();
        await world.process(store).renew(call);
        await world.clock.advance(VALID_MS);
        const { mark } = world.cluster;
        const killed = new Error("killed");
        const dying = world.process(store, {
          read: (call) => mark.read(call),
          async replace(...change) {
            if (point === "after the cluster") await mark.replace(...change);
            throw killed;
          },
        });
        await assert.rejects(dying.assertHeld(DEFAULT_CLUSTER, call), killed);
        const { next, token } = await claimOf(store);
        assert.notEqual(next, null);
        assert.equal(await world.token(), point === "after the cluster" ? next : token);
        const claims = world.process(store);
        await claims.assertHeld(DEFAULT_CLUSTER, call);
        assert.deepEqual(await claimOf(store).then(({ token, lost }) => [token, lost]), [
          next,
          null,
        ]);
        // What the killed process had still under way comes too late.
        assert.equal(await mark.replace({ text: "old", version: "old" }, "late", call), false);
        await store.close();
      }));
  }
});

Deno.test("a cluster without a mark, for instance a new one of the same name, is claimed again", () =>
  inWorld(async (world) => {
    const store = openMemoryStore();
    await world.process(store).renew(call);
    const next = new World();
    const claims = next.process(store);
    await claims.assertHeld(DEFAULT_CLUSTER, call);
    assert.equal((await claimOf(store)).token, await next.token());
    await next.cluster.close();
    await store.close();
  }));

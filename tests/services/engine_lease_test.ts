/** Of several processes with the embedded engine on one store, one runs the operations. */
import assert from "node:assert/strict";
import { createEnvironment } from "@mpc/services";
import { createPlanner } from "@mpc/services/sagas";
import { allowEverything } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { acquireEngineLease, Dispatcher, EmbeddedEngine, startHousekeeping } from "@mpc/worker";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { aCaller } from "../fakes/a_caller.ts";
import { FakeClock, settle } from "../fakes/fake_clock.ts";
import { faultyDefinitions } from "../fakes/faulty_definitions.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { SeededIds } from "../fakes/seeded_ids.ts";

/** What acquiring may take: the time of a lease, and a pause. */
const TERM_MS = 16_000;

const store = openMemoryStore();
const ids = new SeededIds();
const provider = new SimulatedProvider({
  clock: new FakeClock(),
  delays: NO_DELAYS,
  statePath: null,
});

const acquire = (clock: FakeClock) => acquireEngineLease({ store, clock, ids });

async function pass(ms: number, ...clocks: readonly FakeClock[]): Promise<void> {
  for (let second = 0; second < ms / 1_000; second++) {
    await Promise.all(clocks.map((clock) => clock.advance(1_000)));
    await settle();
  }
}

Deno.test("an attempt that runs when the lease is lost is aborted, and applies nothing", async () => {
  const store = openMemoryStore();
  const clock = new FakeClock();
  const cluster = new SimulatedProvider({ clock, delays: NO_DELAYS, statePath: null });
  const calls: AbortSignal[] = [];
  const waiting = Object.assign(Object.create(cluster) as typeof cluster, {
    async applyNamespace(...[intent, call]: Parameters<typeof cluster.applyNamespace>) {
      calls.push(call.signal);
      if (calls.length === 1) {
        await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
      }
      return await cluster.applyNamespace(intent, call);
    },
    assertReachable: (...of: Parameters<typeof cluster.assertReachable>) =>
      cluster.assertReachable(...of),
  });
  const lease = await acquireEngineLease({ store, clock, ids });
  const tools = { store, clock, ids, provider: waiting };
  const engine = new EmbeddedEngine({ ...tools, lease });
  const deps = {
    ...tools,
    cluster: waiting,
    planner: createPlanner(store, cluster),
    authorizer: allowEverything,
    engine: engine.name,
  };
  const wanted = { environmentId: "dev", environment: {} };
  const { name } = (await createEnvironment(deps, aCaller(), wanted)).operation!.value;
  await engine.start(name);
  await settle();
  assert.deepEqual([calls.length, calls[0]?.aborted, engine.running], [1, false, 1]);
  const { value, version } = (await store.leases.get("leases/engine"))!;
  const taken = { ...value, holder: "another process", token: value.token + 1 };
  await store.leases.replace(taken, version);
  const before = (await store.operations.get(name))!.version;
  await pass(6_000, clock);
  assert.deepEqual([calls[0]?.aborted, engine.running], [true, 0]);
  const call = { signal: new AbortController().signal };
  assert.deepEqual((await cluster.inventory(call)).objects, []);
  assert.equal((await store.operations.get(name))!.version, before, "its record is the other's");
  await engine.close();
  await lease[Symbol.asyncDispose]();
  await cluster.close();
});

Deno.test("a second process is refused, and a process that was paused begins no further step", async () => {
  const begun: string[] = [];
  const resumed = Promise.withResolvers<void>();
  const definitionsOf = (process: string) =>
    faultyDefinitions([{
      kind: "environment.create",
      step: "create_namespace",
      async run(run) {
        begun.push(`${process} create_namespace`);
        if (process === "paused") await resumed.promise;
        return await run();
      },
    }, {
      kind: "environment.create",
      step: "apply_policies",
      run(run) {
        begun.push(`${process} apply_policies`);
        return run();
      },
    }]).definitions;
  async function start(process: string, clock: FakeClock) {
    const lease = await acquire(clock);
    const tools = { store, clock, ids, provider };
    const engine = new EmbeddedEngine({ ...tools, lease, definitions: definitionsOf(process) });
    const deps = {
      ...tools,
      cluster: provider,
      planner: createPlanner(store, provider),
      authorizer: allowEverything,
      engine: engine.name,
    };
    const dispatcher = new Dispatcher({ store, engine, clock });
    await dispatcher.start();
    const housekeeping = await startHousekeeping(
      { deps, provider, engine, keepMs: null, auditKeepMs: null, alone: false, lease },
    );
    return {
      deps,
      lease,
      engine,
      async close() {
        await housekeeping[Symbol.asyncDispose]();
        await dispatcher.close();
        await engine.close();
        await lease[Symbol.asyncDispose]();
      },
    };
  }

  const [pausedClock, clock] = [new FakeClock(), new FakeClock()];
  const paused = await start("paused", pausedClock);
  const { operation } = await createEnvironment(paused.deps, aCaller(), {
    environmentId: "dev",
    environment: {},
  });
  const { name } = operation!.value;
  await settle();
  assert.deepEqual(begun, ["paused create_namespace"]);

  const refused = rejectsWith(acquire(clock), "FAILED_PRECONDITION", "ENGINE_IN_USE");
  await pass(TERM_MS, pausedClock, clock);
  await refused;

  const starting = start("other", clock);
  await pass(TERM_MS, clock);
  const other = await starting;
  assert.deepEqual([other.lease.token, begun.length], [2, 1]);

  await pausedClock.advance(TERM_MS);
  assert.equal(paused.lease.token, undefined);
  resumed.resolve();
  await settle();
  assert.deepEqual(begun, ["paused create_namespace"]);
  await rejectsWith(paused.engine.start(name), "FAILED_PRECONDITION", "ENGINE_IN_USE");

  await pass(40_000, pausedClock, clock);
  const { value } = (await store.operations.get(name))!;
  assert.equal(value.state, "SUCCEEDED");
  assert.deepEqual(begun.slice(1), ["other create_namespace", "other apply_policies"]);
  await Promise.all([paused.close(), other.close()]);

  const next = await acquire(clock);
  assert.equal(next.token, 3, "a lease that was released is free at once");
  await next[Symbol.asyncDispose]();
  await provider.close();
});

/** Operations whose engine is sometimes unavailable, with one or several dispatchers. */
import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import {
  allowEverything,
  cancelOperation,
  createEnvironment,
  deployWorkload,
  diagnose,
  explainOperation,
  type ServiceDeps,
} from "@mpc/services";
import { createPlanner } from "@mpc/services/sagas";
import { openMemoryStore } from "@mpc/storage/memory";
import {
  Dispatcher,
  EmbeddedEngine,
  type HostedEngine,
  Janitor,
  startHousekeeping,
} from "@mpc/worker";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { aCaller } from "../fakes/a_caller.ts";
import { anOperation } from "../fakes/documents.ts";
import { FakeClock, settle } from "../fakes/fake_clock.ts";
import { FragileEngine } from "../fakes/fragile_engine.ts";
import { SeededIds } from "../fakes/seeded_ids.ts";

const caller = aCaller();

class World {
  readonly clock = new FakeClock();
  readonly store = openMemoryStore();
  readonly provider = new SimulatedProvider({
    clock: this.clock,
    delays: NO_DELAYS,
    statePath: null,
  });
  readonly deps: ServiceDeps = {
    store: this.store,
    clock: this.clock,
    ids: new SeededIds(),
    cluster: this.provider,
    planner: createPlanner(this.store, this.provider),
    authorizer: allowEverything,
    engine: "embedded",
  };
  readonly engine = new FragileEngine(
    new EmbeddedEngine({ ...this.deps, provider: this.provider }),
  );
  readonly #dispatchers: Dispatcher[] = [];

  async dispatcher(): Promise<Dispatcher> {
    const dispatcher = new Dispatcher(this);
    await dispatcher.start();
    this.#dispatchers.push(dispatcher);
    return dispatcher;
  }

  /** Requests an environment, and lets the effects happen. */
  async create(environmentId: string, environment = {}): Promise<string> {
    const { operation } = await createEnvironment(this.deps, caller, {
      environmentId,
      environment,
    });
    await settle();
    return operation!.value.name;
  }

  async operation(name: string) {
    return (await this.store.operations.get(name))!.value;
  }

  async reasons(): Promise<readonly string[]> {
    return (await this.store.events.read(0, 1_000)).map(({ reason }) => reason);
  }

  async close(): Promise<void> {
    for (const dispatcher of this.#dispatchers) await dispatcher.close();
    await this.engine.close();
    await this.provider.close();
    await this.store.close();
  }
}

async function withWorld(use: (world: World) => Promise<void>): Promise<void> {
  const world = new World();
  try {
    await use(world);
  } finally {
    await world.close();
  }
}

/** Starts a deployment that takes long. @returns the operation's name */
async function deployStuck(world: World): Promise<string> {
  const { operation } = await deployWorkload(world.deps, caller, {
    parent: (await world.operation(await world.create("dev"))).target,
    workloadId: "web",
    workload: { spec: { image: "nginx:stuck" } },
    etag: "",
    timeoutMs: null,
  });
  await settle();
  return operation!.value.name;
}

Deno.test("operations wait while the engine is unreachable, say why, and begin in order", () =>
  withWorld(async (world) => {
    const dispatcher = await world.dispatcher();
    world.engine.reachable = false;
    const names = [];
    for (const id of ["a", "b", "c"]) names.push(await world.create(id));
    for (const name of names) {
      const { state, waitingReason } = await world.operation(name);
      assert.equal(state, "PENDING");
      assert.equal(
        waitingReason,
        "engine unreachable since 2030-01-01T00:00:00.000Z: Cannot reach the engine: connection refused",
      );
      const { summary, responsible } = await explainOperation(world.deps, caller, name);
      assert.match(summary, /waits to begin: engine unreachable since/);
      assert.equal(responsible, "platform");
    }
    assert.equal(dispatcher.outage?.error.reason, "ENGINE_UNREACHABLE");
    const [finding, ...others] = (await diagnose(world.deps, caller)).findings;
    assert.equal(finding?.invariant, "OPERATION_WAITS");
    assert.match(finding.message, /^It waits, and 2 more with it: engine unreachable since/);
    assert.deepEqual(others, []);
    await world.clock.advance(60_000);
    world.engine.reachable = true;
    await world.clock.advance(2_000);
    assert.deepEqual(world.engine.started, names);
    assert.equal(dispatcher.outage, null);
    for (const name of names) {
      const { state, waitingReason } = await world.operation(name);
      assert.deepEqual([state, waitingReason], ["SUCCEEDED", ""]);
    }
  }));

Deno.test("operations admitted without a dispatcher begin in order, even after an outage", () =>
  withWorld(async (world) => {
    world.engine.reachable = false;
    const names = [];
    for (const id of ["a", "b", "c"]) {
      names.push(await world.create(id));
      await world.clock.advance(1);
    }
    await world.dispatcher();
    await settle();
    for (const name of names) {
      assert.match((await world.operation(name)).waitingReason, /^engine unreachable since/);
    }
    world.engine.reachable = true;
    await world.clock.advance(2_000);
    assert.deepEqual(world.engine.started, names);
  }));

Deno.test("a cancellation that could not reach the engine is passed on when the engine is back", () =>
  withWorld(async (world) => {
    await world.dispatcher();
    world.engine.reachable = false;
    const name = await world.create("dev");
    const reason = "changed my mind";
    await cancelOperation(world.deps, caller, { name, reason, validateOnly: false });
    await world.clock.advance(5_000);
    assert.equal((await world.operation(name)).state, "CANCELLING");
    world.engine.reachable = true;
    await world.clock.advance(2_000);
    assert.equal((await world.operation(name)).state, "CANCELLED");
  }));

Deno.test("without a worker, new operations say why they wait, and running ones can be cancelled", () =>
  withWorld(async (world) => {
    const dispatcher = await world.dispatcher();
    const name = await deployStuck(world);
    world.engine.reachable = false;
    const waiting = await world.create("other");
    world.engine.reachable = true;
    world.engine.begins = false;
    await world.clock.advance(2_000);
    assert.match(
      (await world.operation(waiting)).waitingReason,
      /^engine unavailable since .*: Cannot begin operations: nobody is there$/,
    );
    assert.equal((await world.operation(name)).state, "RUNNING");
    await cancelOperation(world.deps, caller, { name, reason: "enough", validateOnly: false });
    await world.clock.advance(2_000);
    assert.equal((await world.operation(name)).state, "CANCELLED");
    assert.equal(dispatcher.outage?.error.reason, "ENGINE_NO_WORKER");
    assert.equal((await world.operation(waiting)).state, "PENDING");
    world.engine.begins = true;
    await world.clock.advance(2_000);
    assert.equal((await world.operation(waiting)).state, "SUCCEEDED");
    assert.equal(dispatcher.outage, null);
  }));

Deno.test("operations that an engine has accepted but cannot begin say why they wait", () =>
  withWorld(async (world) => {
    world.engine.keeps = true;
    await world.dispatcher();
    const name = await world.create("dev");
    assert.deepEqual(world.engine.started, [name]);
    await world.clock.advance(2_000);
    assert.equal((await world.operation(name)).waitingReason, "");
    world.engine.reachable = false;
    await world.clock.advance(2_000);
    assert.match((await world.operation(name)).waitingReason, /^engine unreachable since/);
  }));

Deno.test("a running operation that no worker continues says why, until one continues it", () =>
  withWorld(async (world) => {
    await world.dispatcher();
    const name = await deployStuck(world);
    const before = await world.operation(name);
    assert.equal(before.state, "RUNNING");
    const message = "Cannot continue: no worker has build '1'";
    const error = new MpcError("FAILED_PRECONDITION", { reason: "ENGINE_NO_BUILD", message });
    world.engine.stranded = new Map([[name, error], ["operations/of-somebody-else", error]]);
    await world.dispatcher();
    await world.clock.advance(5_000);
    const noted = await world.operation(name);
    assert.equal(noted.waitingReason, message);
    assert.equal(noted.updateTime, before.updateTime, "no worker has continued it since");
    const { summary, responsible } = await explainOperation(world.deps, caller, name);
    assert.equal(
      summary,
      `workload.deploy of 'environments/dev/workloads/web' waits at step 'await_rollout': ${message}`,
    );
    assert.equal(responsible, "platform");
    const { findings } = await diagnose(world.deps, caller);
    assert.deepEqual(findings.map(({ invariant, message }) => [invariant, message]), [
      ["OPERATION_WAITS", `It waits: ${message}`],
    ]);
    world.engine.stranded = new Map();
    await world.dispatcher();
    await world.clock.advance(2_000);
    assert.equal((await world.operation(name)).waitingReason, "");
    const told = (await world.reasons()).filter((it) => /^Operation(Waiting|GoesOn)$/.test(it));
    assert.deepEqual(told, ["OperationWaiting", "OperationGoesOn"], "once, by all dispatchers");
  }));

Deno.test("an operation that the engine rejects does not block others", () =>
  withWorld(async (world) => {
    world.engine.reachable = false;
    const first = await world.create("a");
    const second = await world.create("b");
    world.engine.refused.add(first);
    world.engine.reachable = true;
    await world.dispatcher();
    await settle();
    const { state, waitingReason } = await world.operation(first);
    assert.equal(state, "PENDING");
    assert.match(waitingReason, /^the engine rejects it: .* is not for this engine$/);
    assert.equal((await world.operation(second)).state, "SUCCEEDED");
  }));

Deno.test("several dispatchers and housekeepings at once do everything once", () =>
  withWorld(async (world) => {
    const { store, engine, provider, clock, deps } = world;
    await Promise.all([world.dispatcher(), world.dispatcher()]);
    const options = { deps, provider, engine, keepMs: null, auditKeepMs: null, alone: false };
    await using _one = await startHousekeeping(options);
    await using _other = await startHousekeeping(options);
    engine.reachable = false;
    const name = await world.create("dev", { ttlMs: 3_600_000 });
    assert.equal((await world.reasons()).filter((it) => it === "OperationWaiting").length, 1);
    engine.reachable = true;
    await clock.advance(2_000);
    assert.equal((await world.operation(name)).state, "SUCCEEDED");
    await clock.advance(3_600_000);
    assert.equal(await store.environments.count({}), 0);
    const kinds = (await store.operations.list({ limit: 10 })).items.map(({ value }) => value.kind);
    assert.deepEqual(kinds.toSorted(), ["environment.create", "environment.delete"]);
    const started = (await world.reasons()).filter((reason) => reason === "StepStarted").length;
    const steps = (await store.operations.list({ limit: 10 })).items
      .flatMap(({ value }) => value.steps).length;
    assert.equal(started, steps, "each step began once");
  }));

Deno.test("an operation that is admitted during the dispatcher's first read is started", () =>
  withWorld(async (world) => {
    const { operations } = world.store;
    let name: string | undefined;
    const store = {
      ...world.store,
      operations: Object.assign(Object.create(operations), {
        get: (...call: Parameters<typeof operations.get>) => operations.get(...call),
        async list(query: Parameters<typeof operations.list>[0]) {
          const page = await operations.list(query);
          name ??= await world.create("dev");
          return page;
        },
      }),
    };
    const dispatcher = new Dispatcher({ store, engine: world.engine, clock: world.clock });
    await dispatcher.start();
    await settle();
    assert.deepEqual(world.engine.started, [name]);
    await dispatcher.close();
  }));

Deno.test("operations of another engine are left to that engine's processes", () =>
  withWorld(async (world) => {
    const { store, engine, provider, clock } = world;
    const before = await world.create("before");
    const { value, version } = (await store.operations.get(before))!;
    await store.operations.replace({ ...value, engine: "temporal" }, version);
    await world.dispatcher();
    await settle();
    assert.deepEqual(engine.started, [], "the engine is not even asked for what was there before");
    const deps = { ...world.deps, engine: "temporal" };
    const { operation } = await createEnvironment(deps, caller, {
      environmentId: "after",
      environment: {},
    });
    await settle();
    engine.reachable = false;
    const during = await createEnvironment(deps, caller, {
      environmentId: "during",
      environment: {},
    });
    await world.create("own");
    engine.reachable = true;
    await clock.advance(60_000);
    await new Janitor({ store, provider, clock, engine, signal: caller.signal }).pass();
    const names = [before, operation!.value.name, during.operation!.value.name];
    for (const name of names) {
      await cancelOperation(deps, caller, { name, reason: "", validateOnly: false });
    }
    await settle();
    await new Janitor({ store, provider, clock, engine, signal: caller.signal }).pass();
    for (const name of names) {
      const { state, waitingReason, steps } = await world.operation(name);
      assert.deepEqual([state, waitingReason], ["CANCELLING", ""]);
      assert.deepEqual([...new Set(steps.map((step) => step.state))], ["PENDING"]);
    }
  }));

Deno.test("its own operations begin behind any number of those of another engine, and are not read twice", () =>
  withWorld(async (world) => {
    const { store } = world;
    const names = [await world.create("first"), await world.create("second")];
    for (let index = 0; index < 1_001; index++) {
      const of = { state: "PENDING", engine: "temporal", createTime: index } as const;
      await store.operations.create(anOperation(`other-${index}`, of));
    }
    const read: string[] = [];
    const { operations } = store;
    const counting: typeof operations = Object.assign(Object.create(operations), {
      get(...of: Parameters<typeof operations.get>) {
        read.push(of[0]);
        return operations.get(...of);
      },
      list: (...of: Parameters<typeof operations.list>) => operations.list(...of),
    });
    const started: string[] = [];
    const engine: HostedEngine = {
      name: "embedded",
      start: (name) => Promise.resolve(void started.push(name)),
      cancel: () => Promise.resolve(),
      status: () => Promise.resolve({ state: "absent" }),
      close: () => Promise.resolve(),
    };
    const dispatcher = new Dispatcher({
      store: { ...store, operations: counting },
      engine,
      clock: world.clock,
    });
    await dispatcher.start();
    await settle();
    names.push(await world.create("third"));
    await settle();
    assert.deepEqual(started, names);
    assert.deepEqual(read, [], "only the engine reads what it starts");
    await dispatcher.close();
  }));

/** Few slots and many operations that wait for each other: waiting holds no slot. */
import assert from "node:assert/strict";
import { isTerminal } from "@mpc/domain";
import { deleteEnvironment, deployWorkload, explainOperation } from "@mpc/services";
import { faultyDefinitions } from "../fakes/faulty_definitions.ts";
import { eventually } from "../servers/eventually.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { shareTemporal } from "./shared_temporal.ts";
import { TemporalWorld } from "./temporal_world.ts";

const { address, ownQueue } = await shareTemporal();

const CONCURRENCY = 2;
const ENVIRONMENTS = 50;

Deno.test({
  name: `${ENVIRONMENTS} environments with deployments under way are deleted by ` +
    `${CONCURRENCY} slots, and a periodic pass is made meanwhile`,
  ...NO_SANITIZERS,
  async fn() {
    let rollouts = 0;
    const allRollOut = Promise.withResolvers<void>();
    const { definitions } = faultyDefinitions([{
      kind: "workload.deploy",
      step: "await_rollout",
      run: (_run, _call, { signal }) => {
        if (++rollouts === ENVIRONMENTS) allRollOut.resolve();
        return new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason), { once: true })
        );
      },
    }]);
    const { config } = ownQueue();
    await using world = await TemporalWorld.start(address, {
      definitions,
      config: { ...config, concurrency: CONCURRENCY },
    });
    const { deps, caller, store, engine } = world;
    const ids = Array.from({ length: ENVIRONMENTS }, (_, index) => `e-${index}`);
    const created = await Promise.all(ids.map((id) => world.create(id)));
    await Promise.all(created.map((name) => world.ended(name)));
    for (const id of ids) {
      await deployWorkload(deps, caller, {
        parent: `environments/${id}`,
        workloadId: "web",
        workload: { spec: { image: "nginx:1", replicas: 1 } },
        etag: "",
        timeoutMs: null,
      });
    }
    await allRollOut.promise;
    const deletions = await Promise.all(ids.map((id) =>
      deleteEnvironment(deps, caller, {
        name: `environments/${id}`,
        etag: "",
        force: true,
        allowMissing: false,
        abandon: false,
        timeoutMs: null,
      })
    ));
    const passed = Promise.withResolvers<void>();
    await engine.repeat!([{
      name: "janitor_pass",
      everyMs: 1_000,
      run: () => Promise.resolve(passed.resolve()),
    }]);
    const ended = await Promise.all(
      deletions.map(({ operation }) => world.ended(operation!.value.name)),
    );
    assert.deepEqual(new Set(ended.map(({ state }) => state)), new Set(["SUCCEEDED"]));
    const { items } = await store.operations.list({ limit: 1_000 });
    assert.ok(items.every(({ value }) => isTerminal(value.state)));
    await passed.promise;
  },
});

Deno.test({
  name: "explain says that a step waits for a slot of the worker, with how many run and wait",
  ...NO_SANITIZERS,
  async fn() {
    const begun = Promise.withResolvers<void>();
    const resumed = Promise.withResolvers<void>();
    const { definitions } = faultyDefinitions([{
      kind: "environment.create",
      step: "create_namespace",
      async run(run) {
        begun.resolve();
        await resumed.promise;
        return await run();
      },
    }]);
    const { config } = ownQueue();
    await using world = await TemporalWorld.start(address, {
      definitions,
      config: { ...config, concurrency: 1 },
    });
    const { caller, engine } = world;
    const deps = {
      ...world.deps,
      queuedStep: async (operation: string) => await engine.queued?.(operation),
    };
    const first = await world.create("first");
    await begun.promise;
    const others = await Promise.all(["second", "third"].map((id) => world.create(id)));
    // The backlog of a task queue is counted a moment after a task was added.
    const told = async () => (await explainOperation(deps, caller, others[0]!)).summary;
    const wanted =
      /second' waits for a slot of the engine to run step 'create_namespace' \(running: 1, waiting: \d+\)$/;
    await eventually("explain names the slot", async () => assert.match(await told(), wanted));
    assert.doesNotMatch((await explainOperation(deps, caller, first)).summary, /slot/);
    resumed.resolve();
    await Promise.all([first, ...others].map((name) => world.ended(name)));
    assert.match(await told(), /succeeded$/);
  },
});

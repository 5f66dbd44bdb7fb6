/** Several workers on one Temporal server: what they pass on, share, and keep apart. */
import assert from "node:assert/strict";
import { idOf, INSTALLATION } from "@mpc/domain";
import { systemClock } from "@mpc/process";
import { openMemoryStore } from "@mpc/storage/memory";
import { startHousekeeping } from "@mpc/worker";
import { hang } from "../fakes/faulty_definitions.ts";
import { eventually } from "../servers/eventually.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { withSecondStep } from "./with_second_step.ts";
import { shareTemporal } from "./shared_temporal.ts";
import {
  payloadsOf,
  simulated,
  TemporalWorld,
  TEST_INSTALLATION,
  withClient,
  workflowOf,
} from "./temporal_world.ts";

const { address, ownQueue } = await shareTemporal();

Deno.test({
  name: "a step that another worker returns continues here, from its last heartbeat",
  ...NO_SANITIZERS,
  async fn() {
    const seen: unknown[] = [];
    const definitions = withSecondStep({
      run: (run, _call, { lastHeartbeat, heartbeat }) => {
        seen.push(lastHeartbeat);
        if (lastHeartbeat !== null) return run();
        heartbeat("half way", { at: 5 });
        return hang();
      },
    });
    const store = openMemoryStore();
    const provider = simulated();
    const options = { store, provider, definitions, ...ownQueue() };
    await using first = await TemporalWorld.start(address, options);
    const name = await first.create();
    await first.until(name, ({ steps }) => steps[1]!.progress === "half way");
    await using second_ = await TemporalWorld.start(address, options);
    await first.engine.close();
    assert.equal((await second_.ended(name)).state, "SUCCEEDED");
    assert.deepEqual(seen, [null, { at: 5 }]);
    await provider.close();
  },
});

Deno.test({
  name: "a worker that stops lets its running step finish",
  ...NO_SANITIZERS,
  async fn() {
    let runs = 0;
    const begun = Promise.withResolvers<void>();
    const more = Promise.withResolvers<void>();
    const definitions = withSecondStep({
      async run(run) {
        runs++;
        begun.resolve();
        await more.promise;
        return await run();
      },
    });
    const provider = simulated();
    const options = { store: openMemoryStore(), provider, definitions, ...ownQueue() };
    await using first = await TemporalWorld.start(address, options);
    const name = await first.create();
    await begun.promise;
    const closing = first.engine.close();
    more.resolve();
    await closing;
    await using second_ = await TemporalWorld.start(address, options);
    assert.equal((await second_.ended(name)).state, "SUCCEEDED");
    assert.equal(runs, 1);
    await provider.close();
  },
});

Deno.test({
  name: "with a payload key Temporal stores only encrypted data, and operations work as before",
  ...NO_SANITIZERS,
  async fn() {
    const payloadKey = crypto.getRandomValues(new Uint8Array(32)).toBase64();
    await using world = await TemporalWorld.start(address, {
      config: { ...ownQueue().config, payloadKey },
    });
    const name = await world.create();
    assert.equal((await world.ended(name)).state, "SUCCEEDED");
    await withClient(address, async (client) => {
      const handle = workflowOf(client, name);
      const written = payloadsOf(await handle.fetchHistory()).join("\n");
      assert.ok(!written.includes(name), "the operation's name is encrypted");
      assert.match(written, /binary\/encrypted/);
    });
  },
});

Deno.test({
  name: "periodic passes go on with another payload key, also after failures, which are encrypted",
  ...NO_SANITIZERS,
  async fn() {
    const { config } = ownQueue();
    for (const round of ["the first key", "another one"]) {
      const payloadKey = crypto.getRandomValues(new Uint8Array(32)).toBase64();
      await using world = await TemporalWorld.start(address, { config: { ...config, payloadKey } });
      const enough = Promise.withResolvers<void>();
      const late = setTimeout(() => enough.reject(new Error(`no pass with ${round}`)), 60_000);
      let passes = 0;
      await world.engine.repeat!([{
        name: "janitor_pass",
        everyMs: 1_000,
        run() {
          // The second pass has the result of the first, the third one has the failure of the second.
          if (++passes === 3) enough.resolve();
          return passes === 1
            ? Promise.resolve()
            : Promise.reject(new Error("the disk of pineapple broke"));
        },
      }]);
      await enough.promise;
      clearTimeout(late);
    }
    await withClient(address, async (client) => {
      let failed = 0;
      for await (
        const { workflowId, runId } of client.workflow.list({
          query: "WorkflowType = 'janitor_pass' AND ExecutionStatus = 'Failed'",
        })
      ) {
        failed++;
        const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
        assert.doesNotMatch(JSON.stringify(history), /pineapple/);
      }
      assert.ok(failed > 0);
    });
  },
});

Deno.test({
  name: "a periodic task runs on one worker at a time",
  ...NO_SANITIZERS,
  async fn() {
    const options = ownQueue();
    await using one = await TemporalWorld.start(address, options);
    await using other = await TemporalWorld.start(address, options);
    const enough = Promise.withResolvers<void>();
    let [running, passes, most] = [0, 0, 0];
    const task = {
      name: "janitor_pass",
      everyMs: 1_000,
      async run() {
        most = Math.max(most, ++running);
        // Longer than the interval of the passes, which must not overlap because of it.
        await systemClock.sleep(1_500);
        running--;
        if (++passes === 2) enough.resolve();
      },
    };
    await one.engine.repeat!([task]);
    await other.engine.repeat!([task]);
    await enough.promise;
    assert.equal(most, 1);
    await withClient(address, async ({ schedule }) => {
      const schedules = (await Array.fromAsync(schedule.list())).filter(({ scheduleId }) =>
        scheduleId.startsWith(`mpc-${options.config.taskQueue}-`)
      );
      assert.equal(schedules.length, 1, "however many workers register it");
    });
  },
});

Deno.test({
  name: "two control planes on one Temporal have workflows and schedules of their own",
  ...NO_SANITIZERS,
  async fn() {
    const { config } = ownQueue();
    const start = async (id: string) => {
      const store = openMemoryStore();
      await store.installations.create({ name: INSTALLATION, id, createTime: 0 });
      return await TemporalWorld.start(address, { store, config });
    };
    const ids = ["a", "b"].map((letter) => TEST_INSTALLATION.id.replaceAll("0", letter));
    await using one = await start(ids[0]!);
    await using other = await start(ids[1]!);
    const passes = await Promise.all([one, other].map(async ({ engine }) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      await engine.repeat!([{
        name: "retention_pass",
        everyMs: 1_000,
        run: () => Promise.resolve(resolve("made")),
      }]);
      return promise;
    }));
    assert.deepEqual(passes, ["made", "made"]);
    const names = await Promise.all([one, other].map((world) => world.create()));
    const ended = await Promise.all([one.ended(names[0]!), other.ended(names[1]!)]);
    assert.deepEqual(ended.map(({ state }) => state), ["SUCCEEDED", "SUCCEEDED"]);
    await withClient(address, async (client) => {
      for (const [index, name] of names.entries()) {
        const handle = client.workflow.getHandle(`${ids[index]}/${idOf(name)}`);
        const { taskQueue } = await handle.describe();
        assert.equal(taskQueue, `${config.taskQueue}-${ids[index]}`);
      }
    });
  },
});

Deno.test({
  name: "a worker that gets another control plane's operation does not fail it",
  ...NO_SANITIZERS,
  async fn() {
    const { config } = ownQueue();
    await using world = await TemporalWorld.start(address, { config });
    const operation = "operations/00000000-0000-7000-8000-00000000000f";
    const carried = { runs: {}, undos: {}, open: null, ends: [], cancelled: false };
    const installation = TEST_INSTALLATION.id.replaceAll("0", "c");
    await withClient(address, async (client) => {
      const handle = await client.workflow.start("environment.create", {
        args: [{ operation, installation, carried }],
        workflowId: `foreign-${config.taskQueue}`,
        taskQueue: `${config.taskQueue}-${TEST_INSTALLATION.id}`,
      });
      await eventually("its first step has been tried", async () => {
        const { raw, status } = await handle.describe();
        assert.equal(status.name, "RUNNING");
        const [pending] = raw.pendingActivities ?? [];
        assert.match(pending?.lastFailure?.message ?? "", /store of installation 'c/);
      });
      await handle.terminate();
    });
    assert.equal(await world.store.operations.count({}), 0);
  },
});

Deno.test({
  name: "environments expire on time, whenever the next pass begins",
  ...NO_SANITIZERS,
  async fn() {
    const provider = simulated();
    await using world = await TemporalWorld.start(address, { provider, ...ownQueue() });
    const { deps, engine, store } = world;
    const moments = new Map<string, number>();
    for (const [index, id] of ["a", "b", "c"].entries()) {
      await world.ended(await world.create(id));
      const { value, version } = (await store.environments.get(`environments/${id}`))!;
      // After the first pass, at different times within the ten seconds until the next one.
      const expireTime = systemClock.now() + 11_000 + 3_300 * index;
      moments.set(value.name, expireTime);
      await store.environments.replace({ ...value, expireTime }, version);
    }
    await using _housekeeping = await startHousekeeping({
      deps,
      provider,
      engine,
      keepMs: null,
      auditKeepMs: null,
      alone: false,
    });
    for await (const { operation } of store.events.tail(0, AbortSignal.timeout(30_000))) {
      if (moments.size === 0) break;
      const record = operation && (await store.operations.get(operation))?.value;
      if (!record || record.kind !== "environment.delete") continue;
      const moment = moments.get(record.target);
      if (moment === undefined) continue;
      moments.delete(record.target);
      const late = record.createTime - moment;
      assert.ok(late >= 0 && late < 1_500, `${record.target} is deleted ${late} ms late`);
    }
    assert.deepEqual([...moments.keys()], [], "every environment was deleted");
    await provider.close();
  },
});

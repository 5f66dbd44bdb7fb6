/**
 * Several builds side by side: an operation stays with its build, and missing builds are reported.
 */
import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import { diagnose } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { eventually } from "../servers/eventually.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { runTemporal, startTemporalServer } from "../servers/temporal_server.ts";
import { withSecondStep } from "./with_second_step.ts";
import { setCurrentBuild } from "./set_current_build.ts";
import { shareTemporal } from "./shared_temporal.ts";
import {
  simulated,
  TemporalWorld,
  withClient,
  workflowOf,
  type WorldOptions,
} from "./temporal_world.ts";

const { address, ownQueue } = await shareTemporal();

Deno.test({
  name: "an operation stays with the build that began it, while another build takes new ones",
  ...NO_SANITIZERS,
  async fn() {
    const begun = Promise.withResolvers<void>();
    const more = Promise.withResolvers<void>();
    const store = openMemoryStore();
    const provider = simulated();
    const { config } = ownQueue();
    const worker = (build: string, definitions?: WorldOptions["definitions"]) =>
      TemporalWorld.start(address, {
        store,
        provider,
        ...(definitions && { definitions }),
        config: { ...config, version: { deployment: config.taskQueue, build } },
      });
    const ran: string[] = [];
    const noted = (build: string) =>
      withSecondStep({
        async run(run) {
          ran.push(build);
          if (ran.length === 1) {
            begun.resolve();
            await more.promise;
          }
          return await run();
        },
      });
    await using _old = await worker("1", noted("1"));
    await setCurrentBuild(address, config.taskQueue, "1");
    const first = await _old.create("first");
    await begun.promise;
    await using _new = await worker("2", noted("2"));
    await setCurrentBuild(address, config.taskQueue, "2");
    const next = await _new.create("next");
    assert.equal((await _new.ended(next)).state, "SUCCEEDED");
    more.resolve();
    assert.equal((await _new.ended(first)).state, "SUCCEEDED");
    assert.deepEqual(ran, ["1", "2"]);
    await withClient(address, async (client) => {
      const { raw } = await workflowOf(client, first).describe();
      const { deploymentVersion } = raw.workflowExecutionInfo!.versioningInfo!;
      assert.equal(deploymentVersion?.buildId, "1");
    });
    await provider.close();
  },
});

/** The worker's build, the current build, and the command that an operator is told to run. */
const UNBEGUN: readonly (readonly [string, string | null, string | null, RegExp])[] = [
  [
    "a build while none is current",
    "1",
    null,
    /to workers without a build, and there are none; .*--deployment-name mpc-\d+-[0-9a-f-]{36} --build-id 1'$/,
  ],
  [
    "a build while the current one has no worker",
    "1",
    "2",
    /to workers with build '2' of .*, and there are none; .*--deployment-name mpc-\d+-[0-9a-f-]{36} --build-id 1'$/,
  ],
  [
    "workers without a build while the current build has no worker",
    null,
    "2",
    /to workers with build '2' of .*, and there are none; .*--deployment-name mpc-\d+-[0-9a-f-]{36} --unversioned'$/,
  ],
];

for (const [what, build, current, message] of UNBEGUN) {
  Deno.test({
    name: `${what}: readiness, waiting operations and the doctor report it, with the remedy`,
    ...NO_SANITIZERS,
    async fn() {
      const { config } = ownQueue();
      const deployment = config.taskQueue;
      const version = (build: string | null) => build === null ? null : { deployment, build };
      // It forgets pollers at once, which takes five minutes otherwise.
      const forgetful = await startTemporalServer({
        dynamicConfig: ['matching.PollerHistoryTTL="1s"'],
      });
      const { address } = forgetful;
      if (current) {
        // Temporal learns about a build and its task queues when a worker polls.
        const once = { config: { ...config, version: version(current) } };
        await using _gone = await TemporalWorld.start(address, once);
        await setCurrentBuild(address, deployment, current);
      }
      await using world = await TemporalWorld.start(address, {
        config: { ...config, version: version(build) },
      });
      // Temporal passes a change of the current build on to its task queues with a delay.
      await eventually("it is noticed", () => {
        assert.match(world.engine.problem?.message ?? "", message);
        return Promise.resolve();
      });
      assert.equal(world.engine.problem?.reason, "ENGINE_NO_WORKER");
      const name = await world.create();
      const { state } = await world.until(name, ({ waitingReason }) => message.test(waitingReason));
      assert.equal(state, "PENDING");
      const { findings } = await diagnose(world.deps, world.caller);
      const [finding] = findings.filter(({ invariant }) => invariant === "OPERATION_WAITS");
      assert.match(finding?.message ?? "", message, "the doctor reports it");
      await setCurrentBuild(address, deployment, build ?? "");
      assert.equal((await world.ended(name)).state, "SUCCEEDED");
      assert.equal(world.engine.problem, undefined);
      await world.engine.close();
      await forgetful.stop();
    },
  });
}

Deno.test({
  name:
    "an operation of a build without workers says so, and continues after the command that it names",
  ...NO_SANITIZERS,
  async fn() {
    const { config } = ownQueue();
    const deployment = config.taskQueue;
    const forgetful = await startTemporalServer({
      dynamicConfig: ['matching.PollerHistoryTTL="1s"'],
    });
    const { address } = forgetful;
    const store = openMemoryStore();
    const provider = simulated();
    const worker = (build: string, definitions?: WorldOptions["definitions"]) =>
      TemporalWorld.start(address, {
        store,
        provider,
        ...(definitions && { definitions }),
        config: { ...config, version: { deployment, build } },
      });
    const begun = Promise.withResolvers<void>();
    const away = withSecondStep({
      run() {
        begun.resolve();
        return Promise.reject(
          new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "no answer" }),
        );
      },
    });
    let name: string;
    {
      await using old = await worker("1", away);
      await setCurrentBuild(address, deployment, "1");
      name = await old.create();
      await begun.promise;
    }
    await using world = await worker("2");
    await setCurrentBuild(address, deployment, "2");
    const { state, waitingReason } = await world.until(
      name,
      ({ waitingReason }) => waitingReason !== "",
    );
    assert.equal(state, "RUNNING");
    assert.match(
      waitingReason,
      new RegExp(
        `^Cannot continue: build '1' of deployment '${deployment}' began it, and no worker has that ` +
          `build; start one with its code by 'deno task worker --deployment ${deployment} ` +
          `--build-id 1', or, where the current build has the same steps, hand it over by temporal `,
      ),
    );
    const { findings } = await diagnose(world.deps, world.caller);
    const waits = findings.filter(({ invariant }) => invariant === "OPERATION_WAITS");
    assert.deepEqual(waits.map(({ subject, message }) => [subject, message]), [
      [name, `It waits: ${waitingReason}`],
    ]);
    const [, command = ""] = / hand it over by (temporal .*)$/.exec(waitingReason) ?? [];
    await runTemporal(address, command);
    assert.equal((await world.ended(name)).state, "SUCCEEDED");
    await world.engine.close();
    await provider.close();
    await forgetful.stop();
  },
});

Deno.test({
  name: "a pass that was interrupted together with its build does not block later ones",
  ...NO_SANITIZERS,
  async fn() {
    const { config } = ownQueue();
    const deployment = config.taskQueue;
    const worker = (build: string) =>
      TemporalWorld.start(address, { config: { ...config, version: { deployment, build } } });
    const pass = (run: () => Promise<void>) => [{ name: "janitor_pass", everyMs: 1_000, run }];
    const begun = Promise.withResolvers<void>();
    const stops = Promise.withResolvers<void>();
    const old = await worker("1");
    await setCurrentBuild(address, deployment, "1");
    await old.engine.repeat!(pass(() => {
      begun.resolve();
      return stops.promise;
    }));
    await begun.promise;
    const gone = old[Symbol.asyncDispose]();
    stops.reject(new Error("the worker stops"));
    await gone;
    await using next = await worker("2");
    await setCurrentBuild(address, deployment, "2");
    const passed = Promise.withResolvers<void>();
    await next.engine.repeat!(pass(() => Promise.resolve(passed.resolve())));
    const late = AbortSignal.timeout(30_000);
    late.addEventListener("abort", () => passed.reject(new Error("no pass within 30 s")));
    await passed.promise;
  },
});

Deno.test({
  name: "a build that is not the current one is ready while the current one has a worker",
  ...NO_SANITIZERS,
  async fn() {
    const { config } = ownQueue();
    const deployment = config.taskQueue;
    const worker = (build: string) =>
      TemporalWorld.start(address, { config: { ...config, version: { deployment, build } } });
    await using _current = await worker("1");
    await setCurrentBuild(address, deployment, "1");
    await using next = await worker("2");
    // Temporal knows pollers a moment after their first poll.
    await eventually("the worker of build 1 is seen", () => {
      assert.equal(next.engine.problem, undefined);
      return Promise.resolve();
    });
  },
});

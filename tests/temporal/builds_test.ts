/** Builds side by side: an operation stays with its own, and who is to begin what is new is said. */
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
  name: "an operation stays with the build that began it, while another one takes what is new",
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

/** Who is there, who is to begin what is new, and what an operator is told to run. */
const UNBEGUN: readonly (readonly [string, string | null, string | null, RegExp])[] = [
  [
    "a build where none is the current one",
    "1",
    null,
    /to workers without a build, and there are none; .*--deployment-name mpc-\d+ --build-id 1'$/,
  ],
  [
    "a build where another one is current that no worker has",
    "1",
    "2",
    /to workers with build '2' of .*, and there are none; .*--deployment-name mpc-\d+ --build-id 1'$/,
  ],
  [
    "workers without a build where one is current that no worker has",
    null,
    "2",
    /to workers with build '2' of .*, and there are none; .*--deployment-name mpc-\d+ --unversioned'$/,
  ],
];

for (const [what, build, current, message] of UNBEGUN) {
  Deno.test({
    name: `${what} is said by readiness, what waits and the doctor, with what helps`,
    ...NO_SANITIZERS,
    async fn() {
      const { config } = ownQueue();
      const deployment = config.taskQueue;
      const version = (build: string | null) => build === null ? null : { deployment, build };
      // It forgets at once who polled, which takes five minutes otherwise.
      const forgetful = await startTemporalServer({
        dynamicConfig: ['matching.PollerHistoryTTL="1s"'],
      });
      const { address } = forgetful;
      if (current) {
        // Temporal learns of a build and of its task queues by a worker that polls.
        const once = { config: { ...config, version: version(current) } };
        await using _gone = await TemporalWorld.start(address, once);
        await setCurrentBuild(address, deployment, current);
      }
      await using world = await TemporalWorld.start(address, {
        config: { ...config, version: version(build) },
      });
      // Temporal hands a change of the current build on to its task queues in its own time.
      await eventually("it is found out", () => {
        assert.match(world.engine.problem?.message ?? "", message);
        return Promise.resolve();
      });
      assert.equal(world.engine.problem?.reason, "ENGINE_NO_WORKER");
      const name = await world.create();
      const { state } = await world.until(name, ({ waitingReason }) => message.test(waitingReason));
      assert.equal(state, "PENDING");
      const { findings } = await diagnose(world.deps, world.caller);
      const [finding] = findings.filter(({ invariant }) => invariant === "OPERATION_WAITS");
      assert.match(finding?.message ?? "", message, "the doctor says so");
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
    "what was begun by a build that no worker has any more says so, and goes on by the command that it names",
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
        `^Cannot go on: build '1' of deployment '${deployment}' began it, and no worker has that ` +
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
  name: "a pass that was cut off together with its build holds up none after it",
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
  name: "a build that is not the current one is ready while a worker has that one",
  ...NO_SANITIZERS,
  async fn() {
    const { config } = ownQueue();
    const deployment = config.taskQueue;
    const worker = (build: string) =>
      TemporalWorld.start(address, { config: { ...config, version: { deployment, build } } });
    await using _current = await worker("1");
    await setCurrentBuild(address, deployment, "1");
    await using next = await worker("2");
    // Temporal knows who polls a moment after the first poll.
    await eventually("the worker of build 1 is seen", () => {
      assert.equal(next.engine.problem, undefined);
      return Promise.resolve();
    });
  },
});

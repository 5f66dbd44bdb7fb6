/** Temporal goes down and comes back: that is reported, and all work continues. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { freePort } from "@mpc/process";
import { hang } from "../fakes/faulty_definitions.ts";
import { eventually } from "../servers/eventually.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startTemporalServer } from "../servers/temporal_server.ts";
import { withFolder } from "../servers/with_folder.ts";
import { withSecondStep } from "./with_second_step.ts";
import { TemporalWorld } from "./temporal_world.ts";

/** For a Temporal that comes back at the same address with its data. */
const keepingDatabase = (
  use: (options: { readonly port: number; readonly database: string }) => Promise<void>,
): Promise<void> =>
  withFolder((folder) => use({ port: freePort(), database: join(folder, "temporal.db") }));

Deno.test({
  name: "readiness reports that Temporal is down, and that it is back",
  ...NO_SANITIZERS,
  fn: () =>
    keepingDatabase(async (options) => {
      const first = await startTemporalServer(options);
      await using world = await TemporalWorld.start(first.address);
      assert.equal(world.engine.problem, undefined);
      await first.stop();
      await eventually("the outage is noticed", () => {
        assert.equal(world.engine.problem?.reason, "ENGINE_UNREACHABLE");
        return Promise.resolve();
      });
      const second = await startTemporalServer(options);
      await eventually("the recovery is noticed", () => {
        assert.equal(world.engine.problem, undefined);
        return Promise.resolve();
      });
      assert.equal((await world.ended(await world.create())).state, "SUCCEEDED");
      await world.engine.close();
      await second.stop();
    }),
});

Deno.test({
  name: "periodic tasks that are registered while Temporal is down run when it is back",
  ...NO_SANITIZERS,
  fn: () =>
    keepingDatabase(async (options) => {
      const first = await startTemporalServer(options);
      await using world = await TemporalWorld.start(first.address);
      await first.stop();
      const passed = Promise.withResolvers<void>();
      const run = () => Promise.resolve(passed.resolve());
      await world.engine.repeat!([{ name: "janitor_pass", everyMs: 1_000, run }]);
      assert.equal(world.engine.problem?.reason, "ENGINE_UNREACHABLE");
      const second = await startTemporalServer(options);
      await passed.promise;
      await world.engine.close();
      await second.stop();
    }),
});

Deno.test({
  name:
    "after Temporal has lost its database everything is registered again, and operations continue",
  ...NO_SANITIZERS,
  async fn() {
    const port = freePort();
    const first = await startTemporalServer({ port });
    const hung = withSecondStep({ run: (run, call) => call === 1 ? hang() : run() });
    await using world = await TemporalWorld.start(first.address, {
      definitions: hung,
    });
    const task = { name: "janitor_pass", everyMs: 1_000, run: () => world.janitor() };
    await world.engine.repeat!([task]);
    const begun = await world.create("begun");
    await world.until(begun, ({ steps }) => steps[1]!.state === "RUNNING");
    await first.stop();
    const empty = await startTemporalServer({ port });
    const next = await world.create("next");
    assert.equal((await world.ended(begun)).state, "SUCCEEDED");
    assert.equal((await world.ended(next)).state, "SUCCEEDED");
    await world.engine.close();
    await empty.stop();
  },
});

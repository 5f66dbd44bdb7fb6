/** The server on a machine whose clock is set while it runs. */
import assert from "node:assert/strict";
import { connect, isNotFound } from "@mpc/client";
import { EnvironmentService, OperationService, OperationState } from "@mpc/proto";
import { eventually } from "../servers/eventually.ts";
import { type PlatformProcess, startPlatform } from "../servers/platform_process.ts";
import { type SteppedClock, steppedClock } from "../servers/stepped_clock.ts";

const ENVIRONMENT = "environments/dev";
const CALLS = 200;

/** Longer than `LOOK_AGAIN_MS` and the deletion take; within "a minute and a bit". */
const GONE_WITHIN_MS = 60_000;

async function onSteppedClock(
  use: (platform: PlatformProcess, clock: SteppedClock) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mpc-clock-" });
  try {
    const clock = await steppedClock(folder);
    const platform = await startPlatform(["--ephemeral"], { env: clock.env });
    try {
      await use(platform, clock);
    } finally {
      await platform.stop();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Clients of one door. */
async function clientsOf(server: URL) {
  const connection = await connect({ server });
  return {
    environments: connection.client(EnvironmentService),
    operations: connection.client(OperationService),
    [Symbol.dispose]: () => connection.close(),
  };
}

type Clients = Awaited<ReturnType<typeof clientsOf>>;

async function createEnvironment({ environments, operations }: Clients, ttlSeconds: number) {
  const { name } = await environments.createEnvironment({
    environmentId: "dev",
    environment: { ttl: { seconds: BigInt(ttlSeconds) } },
  });
  const { state } = await operations.waitOperation({ name });
  assert.equal(state, OperationState.SUCCEEDED);
}

/** How many seconds the server's wall clock is ahead of ours. */
async function aheadSeconds({ environments }: Clients): Promise<number> {
  const { createTime } = await environments.createEnvironment({
    environmentId: "late",
    environment: {},
  });
  return Number(createTime?.seconds) - Date.now() / 1_000;
}

Deno.test("no call is refused when the clock is set back by 30 s under load", () =>
  onSteppedClock(async (platform, clock) => {
    using web = await clientsOf(platform.web);
    using grpc = await clientsOf(platform.grpc);
    await createEnvironment(web, 3_600);
    const get = async () => {
      for (let call = 0; call < CALLS; call++) {
        for (const { environments } of [web, grpc]) {
          await environments.getEnvironment({ name: ENVIRONMENT });
        }
      }
    };
    await get();
    const under = get();
    await clock.set(-30);
    await under;
    await get();
    const ahead = await aheadSeconds(web);
    assert.ok(Math.abs(ahead + 30) <= 5, `the server's clock is ahead by ${ahead} s, not by -30`);
  }));

Deno.test("an environment of 10 min is gone within a minute when the clock is set forward by 20", () =>
  onSteppedClock(async (platform, clock) => {
    using web = await clientsOf(platform.web);
    await createEnvironment(web, 600);
    const began = performance.now();
    await clock.set(1_200);
    await eventually("the environment is gone", async () => {
      const gone = await web.environments.getEnvironment({ name: ENVIRONMENT })
        .then(() => false, isNotFound);
      assert.ok(gone, "it is there");
    });
    const ms = performance.now() - began;
    assert.ok(ms < GONE_WITHIN_MS, `it was there for ${ms} ms`);
  }));

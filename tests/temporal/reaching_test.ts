/** What keeps a worker from Temporal is said, by readiness, the doctor and what waits for it. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diagnose } from "@mpc/services";
import { hang } from "../fakes/faulty_definitions.ts";
import { loopbackCertificate } from "../servers/certificate.ts";
import { eventually } from "../servers/eventually.ts";
import { freePort } from "../servers/free_port.ts";
import { EXACT_TIMERS, startTemporalServer } from "../servers/temporal_server.ts";
import { second } from "./second_step.ts";
import { setCurrentBuild } from "./set_current_build.ts";
import { TemporalWorld } from "./temporal_world.ts";

const LOOSE = { sanitizeOps: false, sanitizeResources: false };

const server = await startTemporalServer({ dynamicConfig: EXACT_TIMERS });
const { address } = server;
Deno.test.afterAll(() => server.stop());

let queues = 0;

/** Worlds of their own task queue, so that none works for another. */
const own = () => ({ config: { taskQueue: `mpc-${queues++}` } });

Deno.test({
  name: "while Temporal cannot be reached operations wait and say why, then are carried out",
  ...LOOSE,
  async fn() {
    const port = freePort();
    await using world = await TemporalWorld.start(`127.0.0.1:${port}`, own());
    assert.equal(world.engine.problem?.reason, "ENGINE_UNREACHABLE");
    const names = [await world.create("a"), await world.create("b"), await world.create("c")];
    const { state } = await world.until(
      names[2]!,
      ({ waitingReason }) =>
        /^engine unreachable since .*Cannot reach Temporal/.test(waitingReason),
    );
    assert.equal(state, "PENDING");
    const late = await startTemporalServer({ port });
    try {
      const ended = await Promise.all(names.map((name) => world.ended(name)));
      assert.deepEqual(ended.map(({ state }) => state), Array(3).fill("SUCCEEDED"));
    } finally {
      await world.engine.close();
      await late.stop();
    }
  },
});

const REFUSALS: readonly (readonly [string, object, string, RegExp])[] = [
  [
    "a namespace that is not there",
    { namespace: "nowhere" },
    "ENGINE_NAMESPACE",
    /no namespace 'nowhere'; create it with 'temporal operator namespace create nowhere'/,
  ],
  [
    "a server without TLS",
    { tls: { serverRootCa: null, client: null, serverName: null } },
    "ENGINE_TLS",
    /by TLS: the server does not speak TLS$/,
  ],
];

for (const [what, change, reason, message] of REFUSALS) {
  Deno.test({
    name: `${what} is named as what keeps the worker from its work, by the doctor too`,
    ...LOOSE,
    async fn() {
      const target = { address, namespace: "default", tls: null, apiKey: null, ...change };
      await using world = await TemporalWorld.start(address, { config: { target } });
      assert.equal(world.engine.problem?.reason, reason);
      assert.match(world.engine.problem?.message ?? "", message);
      const name = await world.create();
      await world.until(name, ({ waitingReason }) => message.test(waitingReason));
      const { findings } = await diagnose(world.deps, world.caller);
      const [finding] = findings.filter(({ invariant }) => invariant === "OPERATION_WAITS");
      assert.match(finding?.message ?? "", message, "the doctor says so");
    },
  });
}

Deno.test({
  name: "a server whose certificate nobody vouches for is named, too",
  ...LOOSE,
  async fn() {
    const listener = Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      ...await loopbackCertificate(),
    });
    const { port } = listener.addr;
    const shaking = (async () => {
      for await (const connection of listener) {
        // The client goes away in the middle of it.
        await connection.handshake().then(() => connection.close(), () => connection.close());
      }
    })();
    {
      const tls = { serverRootCa: null, client: null, serverName: null };
      const target = { address: `127.0.0.1:${port}`, namespace: "default", tls, apiKey: null };
      await using world = await TemporalWorld.start(address, { config: { target } });
      assert.equal(world.engine.problem?.reason, "ENGINE_TLS");
      assert.match(world.engine.problem?.message ?? "", /certificate is not to be trusted/);
    }
    listener.close();
    await shaking.catch(() => undefined);
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
    ...LOOSE,
    async fn() {
      const { config } = own();
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
      await eventually("it is found out", () => {
        assert.equal(world.engine.problem?.reason, "ENGINE_NO_WORKER");
        return Promise.resolve();
      });
      assert.match(world.engine.problem?.message ?? "", message);
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
  name: "a build that is not the current one is ready while a worker has that one",
  ...LOOSE,
  async fn() {
    const { config } = own();
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

Deno.test({
  name: "readiness says that Temporal has gone away, and that it is back",
  ...LOOSE,
  async fn() {
    const directory = await mkdtemp(join(tmpdir(), "mpc-reaching-"));
    const options = { port: freePort(), database: join(directory, "temporal.db") };
    const first = await startTemporalServer(options);
    await using world = await TemporalWorld.start(first.address, own());
    assert.equal(world.engine.problem, undefined);
    await first.stop();
    await eventually("it is missed", () => {
      assert.equal(world.engine.problem?.reason, "ENGINE_UNREACHABLE");
      return Promise.resolve();
    });
    const second = await startTemporalServer(options);
    await eventually("it is found again", () => {
      assert.equal(world.engine.problem, undefined);
      return Promise.resolve();
    });
    assert.equal((await world.ended(await world.create())).state, "SUCCEEDED");
    await world.engine.close();
    await second.stop();
    await rm(directory, { recursive: true });
  },
});

Deno.test({
  name: "what is asked to be done again and again while Temporal is away is done when it is back",
  ...LOOSE,
  async fn() {
    const directory = await mkdtemp(join(tmpdir(), "mpc-reaching-"));
    const options = { port: freePort(), database: join(directory, "temporal.db") };
    const first = await startTemporalServer(options);
    await using world = await TemporalWorld.start(first.address, own());
    await first.stop();
    const passed = Promise.withResolvers<void>();
    const run = () => Promise.resolve(passed.resolve());
    await world.engine.repeat!([{ name: "janitor_pass", everyMs: 1_000, run }]);
    assert.equal(world.engine.problem?.reason, "ENGINE_UNREACHABLE");
    const second = await startTemporalServer(options);
    await passed.promise;
    await world.engine.close();
    await second.stop();
    await rm(directory, { recursive: true });
  },
});

Deno.test({
  name: "a Temporal that lost its database is told everything again, and operations go on",
  ...LOOSE,
  async fn() {
    const port = freePort();
    const first = await startTemporalServer({ port });
    const hung = second({ run: (run, call) => call === 1 ? hang() : run() });
    await using world = await TemporalWorld.start(first.address, { ...own(), definitions: hung });
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

/** Operations on Temporal's own server, and what its operators may do to them. */
import assert from "node:assert/strict";
import { OPERATION_KINDS } from "@mpc/domain";
import { systemClock } from "@mpc/process";
import { diagnose } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { PROGRESS_QUERY } from "../../worker/engine/temporal/contract.ts";
import { hang, permanent } from "../fakes/faulty_definitions.ts";
import { type Fault, faultyDefinitions } from "../fakes/faulty_definitions.ts";
import { loopbackCertificate } from "../servers/certificate.ts";
import { recordSpans } from "../fakes/recorded_spans.ts";
import { freePort } from "../servers/free_port.ts";
import { EXACT_TIMERS, startTemporalServer } from "../servers/temporal_server.ts";
import {
  simulated,
  TemporalWorld,
  withClient,
  workflowOf,
  type WorldOptions,
} from "./temporal_world.ts";

const LOOSE = { sanitizeOps: false, sanitizeResources: false };

const server = await startTemporalServer({ dynamicConfig: EXACT_TIMERS });
const { address } = server;
Deno.test.afterAll(() => server.stop());

let queues = 0;

/** Worlds of their own task queue, so that none works for another. */
const own = () => ({ config: { taskQueue: `mpc-${queues++}` } });

/** The second step of a creation does this in place of its own; the first has been done. */
const second = (fault: Pick<Fault, "run" | "undo">) =>
  faultyDefinitions([{ kind: "environment.create", step: "apply_policies", ...fault }]).definitions;

const inSecondStep = (world: TemporalWorld, name: string) =>
  world.until(name, ({ steps }) => steps[1]!.state === "RUNNING");

/** Everything in bytes that a history holds, as text. */
function payloadsOf(value: unknown): readonly string[] {
  if (value instanceof Uint8Array) return [new TextDecoder().decode(value)];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(payloadsOf);
}

Deno.test({
  name: "an operation is found in Temporal by environment, kind and actor, without its secrets",
  ...LOOSE,
  async fn() {
    await using world = await TemporalWorld.start(address, own());
    await world.ended(await world.create());
    const name = await world.deploy("hunter2");
    assert.equal((await world.ended(name)).state, "SUCCEEDED");
    await withClient(address, async (client) => {
      const handle = workflowOf(client, name);
      await handle.result();
      const { type, memo, searchAttributes } = await handle.describe();
      assert.equal(type, "workload.deploy");
      assert.deepEqual(memo, {
        target: "environments/dev/workloads/web",
        kind: "workload.deploy",
        actor: "ann",
      });
      assert.deepEqual(searchAttributes["MpcEnvironment"], ["dev"]);
      assert.deepEqual(searchAttributes["MpcKind"], ["workload.deploy"]);
      assert.deepEqual(searchAttributes["MpcActor"], ["ann"]);
      assert.deepEqual(await handle.query(PROGRESS_QUERY), {
        running: null,
        done: ["apply_workload", "await_rollout", "record_revision"],
        undone: [],
        cancelled: false,
      });
      const written = payloadsOf(await handle.fetchHistory()).join("\n");
      assert.ok(written.includes(name), "payloads can be read");
      assert.ok(!written.includes("hunter2"), "no secret is in the history");
    });
  },
});

Deno.test({
  name: "the trace in which a caller asked goes on in the workflow's memo and in the activities",
  ...LOOSE,
  async fn() {
    using recorded = recordSpans();
    await using world = await TemporalWorld.start(address, own());
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
    const name = await world.create("traced", traceparent);
    await world.ended(name);
    await withClient(address, async (client) => {
      const { memo } = await workflowOf(client, name).describe();
      assert.equal(memo?.["traceparent"], traceparent);
    });
    const steps = recorded.spans.filter(({ attributes }) => attributes?.["mpc.operation"] === name);
    assert.deepEqual(steps.map((span) => [span.name, span.parent?.traceId]), [
      ["create_namespace", traceId],
      ["apply_policies", traceId],
    ]);
  },
});

Deno.test({
  name: "however often an operation is started, it has one workflow, also when it is over",
  ...LOOSE,
  async fn() {
    await using world = await TemporalWorld.start(address, own());
    const name = await world.create();
    await Promise.all(Array.from({ length: 10 }, () => world.engine.start(name)));
    await world.ended(name);
    await world.engine.start(name);
    const events = await world.store.events.read(0, 1_000);
    const begun = events.filter(({ message }) => message.includes("'create_namespace' begins"));
    assert.equal(begun.length, 1);
  },
});

Deno.test({
  name: "a workflow that was terminated leaves an operation that says so, with what may be left",
  ...LOOSE,
  async fn() {
    const definitions = second({ run: hang });
    await using world = await TemporalWorld.start(address, { ...own(), definitions });
    const name = await world.create();
    await inSecondStep(world, name);
    await withClient(address, (client) => workflowOf(client, name).terminate("by hand"));
    await world.janitor();
    const { state, error, residue } = await world.ended(name);
    assert.equal(state, "NEEDS_ATTENTION");
    assert.equal(error?.reason, "WORKFLOW_TERMINATED");
    assert.match(error?.message ?? "", /terminated in Temporal: by hand$/);
    assert.deepEqual(residue.map(({ object }) => object), ["Namespace/dev", "ResourceQuota/dev"]);
    const environment = (await world.store.environments.get("environments/dev"))!.value;
    assert.equal(environment.state, "CREATE_FAILED");
    assert.equal(environment.currentOperation, null);
  },
});

Deno.test({
  name: "a workflow that is cancelled in Temporal cancels the operation, which undoes its steps",
  ...LOOSE,
  async fn() {
    const definitions = second({
      run: (_run, _call, { signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason), { once: true })
        ),
    });
    await using world = await TemporalWorld.start(address, { ...own(), definitions });
    const name = await world.create();
    await inSecondStep(world, name);
    await withClient(address, (client) => workflowOf(client, name).cancel());
    const { state, cancellation, steps } = await world.ended(name);
    assert.equal(state, "CANCELLED");
    assert.equal(cancellation?.actor, "system:temporal");
    assert.deepEqual(steps.map((step) => step.state), ["UNDONE", "UNDONE"]);
    assert.equal(await world.store.environments.get("environments/dev"), undefined);
  },
});

Deno.test({
  name: "a workflow that was reset goes on, and does nothing twice that the journal has",
  ...LOOSE,
  async fn() {
    let runs = 0;
    const definitions = faultyDefinitions([{
      kind: "environment.create",
      step: "create_namespace",
      run: (run) => {
        runs++;
        return run();
      },
    }, {
      kind: "environment.create",
      step: "apply_policies",
      run: (run, call) => call === 1 ? hang() : run(),
    }]).definitions;
    await using world = await TemporalWorld.start(address, { ...own(), definitions });
    const name = await world.create();
    await inSecondStep(world, name);
    await withClient(address, async (client) => {
      const execution = { workflowId: workflowOf(client, name).workflowId };
      await client.workflowService.resetWorkflowExecution({
        namespace: "default",
        workflowExecution: execution,
        reason: "by hand",
        workflowTaskFinishEventId: 4 as never,
        requestId: crypto.randomUUID(),
      });
    });
    const { state } = await world.ended(name);
    assert.equal(state, "SUCCEEDED");
    assert.equal(runs, 1);
  },
});

Deno.test({
  name: "what another worker hands back goes on here, from its last heartbeat",
  ...LOOSE,
  async fn() {
    const seen: unknown[] = [];
    const definitions = second({
      run: (run, _call, { lastHeartbeat, heartbeat }) => {
        seen.push(lastHeartbeat);
        if (lastHeartbeat !== null) return run();
        heartbeat("half way", { at: 5 });
        return hang();
      },
    });
    const store = openMemoryStore();
    const provider = simulated();
    const options = { store, provider, definitions, ...own() };
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
  name: "a worker that stops lets the step that runs finish",
  ...LOOSE,
  async fn() {
    let runs = 0;
    const begun = Promise.withResolvers<void>();
    const more = Promise.withResolvers<void>();
    const definitions = second({
      async run(run) {
        runs++;
        begun.resolve();
        await more.promise;
        return await run();
      },
    });
    const provider = simulated();
    const options = { store: openMemoryStore(), provider, definitions, ...own() };
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
  name: "an operation with a long history goes on in a new run of its workflow",
  ...LOOSE,
  async fn() {
    const short = await startTemporalServer({
      dynamicConfig: ["limit.historyCount.suggestContinueAsNew=5"],
    });
    try {
      await using world = await TemporalWorld.start(short.address, {
        definitions: second({ run: () => Promise.reject(permanent()) }),
      });
      const name = await world.create();
      const { state, steps } = await world.ended(name);
      assert.equal(state, "FAILED");
      assert.deepEqual(steps.map((step) => step.state), ["UNDONE", "UNDONE"]);
      await withClient(short.address, async (client) => {
        const runs = await Array.fromAsync(
          client.workflow.list({ query: `WorkflowType = '${OPERATION_KINDS[0]}'` }),
        );
        assert.ok(runs.some(({ status }) => status.name === "CONTINUED_AS_NEW"));
      });
    } finally {
      await short.stop();
    }
  },
});

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

Deno.test({
  name: "with a payload key Temporal keeps nothing that can be read, and operations work as before",
  ...LOOSE,
  async fn() {
    const payloadKey = crypto.getRandomValues(new Uint8Array(32)).toBase64();
    await using world = await TemporalWorld.start(address, {
      config: { ...own().config, payloadKey },
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
  name: "an operation stays with the build that began it, while another one takes what is new",
  ...LOOSE,
  async fn() {
    const begun = Promise.withResolvers<void>();
    const more = Promise.withResolvers<void>();
    const store = openMemoryStore();
    const provider = simulated();
    const { config } = own();
    const worker = (build: string, definitions?: WorldOptions["definitions"]) =>
      TemporalWorld.start(address, {
        store,
        provider,
        ...(definitions && { definitions }),
        config: { ...config, version: { deployment: config.taskQueue, build } },
      });
    const ran: string[] = [];
    const noted = (build: string) =>
      second({
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
    await setCurrent(config.taskQueue, "1");
    const first = await _old.create("first");
    await begun.promise;
    await using _new = await worker("2", noted("2"));
    await setCurrent(config.taskQueue, "2");
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

/** Lets a build take what is new, as `temporal worker deployment set-current-version` does. */
async function setCurrent(deploymentName: string, buildId: string): Promise<void> {
  await withClient(address, async ({ workflowService }) => {
    for (const late = Date.now() + 30_000;;) {
      try {
        await workflowService.setWorkerDeploymentCurrentVersion({
          namespace: "default",
          deploymentName,
          buildId,
          identity: "test",
        });
        return;
      } catch (error) {
        // The server learns of a version by its worker's first poll.
        if (Date.now() > late) throw error;
        await systemClock.sleep(50);
      }
    }
  });
}

Deno.test({
  name: "what is done again and again is done by one worker of all at a time",
  ...LOOSE,
  async fn() {
    const options = own();
    await using one = await TemporalWorld.start(address, options);
    await using other = await TemporalWorld.start(address, options);
    const enough = Promise.withResolvers<void>();
    let [running, passes, most] = [0, 0, 0];
    const task = {
      name: "janitor_pass",
      everyMs: 1_000,
      async run() {
        most = Math.max(most, ++running);
        // Longer than the pause between two passes, which must not make them overlap.
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
      const schedules = await Array.fromAsync(schedule.list());
      assert.equal(schedules.length, 1, "however many workers say so");
    });
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

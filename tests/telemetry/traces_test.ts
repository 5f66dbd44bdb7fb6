import assert from "node:assert/strict";
import { createClient, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EnvironmentService, OperationService, OperationState, WorkloadService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { exportTo, startOtlpReceiver } from "../servers/otlp_receiver.ts";
import { startPlatform } from "../servers/platform_process.ts";
import { testSpanTrees } from "./span_tree_cases.ts";
import { startTracedProcesses, treeOf } from "./traced_processes.ts";

testSpanTrees("the embedded engine", () => startTracedProcesses("embedded"));

const SPAN = "00f067aa0ba902b7";
const traceOf = (digit: string) => digit.repeat(32);
const headersOf = (traceId: string) => ({ headers: { traceparent: `00-${traceId}-${SPAN}-01` } });

/** Creates an environment in a trace. @returns the operation's last state */
async function create(transport: Transport, environmentId: string, traceId: string) {
  const { name } = await createClient(EnvironmentService, transport)
    .createEnvironment({ environmentId, environment: {} }, headersOf(traceId));
  return (await createClient(OperationService, transport).waitOperation({ name })).state;
}

Deno.test("a caller's trace continues at both doors", NO_SANITIZERS, async () => {
  await using receiver = startOtlpReceiver();
  const platform = await startPlatform(["--ephemeral", "--simulated-delays=none"], {
    env: receiver.env,
  });
  const grpc = createGrpcTransport(platform.grpc);
  const web = createGrpcWebTransport({ baseUrl: platform.web.origin });
  try {
    for (
      const [door, transport, traceId] of [["a", grpc, traceOf("a")], [
        "b",
        web,
        traceOf("b"),
      ]] as const
    ) {
      assert.equal(await create(transport, door, traceId), OperationState.SUCCEEDED);
      const mine = () => receiver.spans.filter((span) => span.traceId === traceId);
      await receiver.until(() => mine().some(({ name }) => name === "environment.create"));
      const rpc = mine().find(({ kind, scope }) => kind === "SERVER" && scope === "mpc")!;
      assert.equal(rpc.name, "mpc.v1.EnvironmentService/CreateEnvironment");
      for (const name of ["environment.create", "create_namespace", "apply_policies"]) {
        const span = mine().find((span) => span.name === name)!;
        assert.equal(span.parentSpanId, rpc.spanId, `${name} at door ${door}`);
      }
    }
  } finally {
    grpc.close();
    await platform.stop();
  }
});

Deno.test(
  "an operation that a new process resumes links to its request",
  NO_SANITIZERS,
  async () => {
    await using receiver = startOtlpReceiver();
    const dataDir = await Deno.makeTempDir({ prefix: "mpc-resumed-" });
    const start = () =>
      startPlatform([`--data-dir=${dataDir}`, "--simulated-delays=none"], { env: receiver.env });
    const traceId = traceOf("c");
    let platform = await start();
    try {
      const clients = () => {
        const web = createGrpcWebTransport({ baseUrl: platform.web.origin });
        return {
          web,
          workloads: createClient(WorkloadService, web),
          operations: createClient(OperationService, web),
        };
      };
      await create(clients().web, "dev", traceOf("d"));
      const spec = { image: "web:stuck", replicas: 1 };
      const { name } = await clients().workloads.deployWorkload({
        ...{ parent: "environments/dev", workloadId: "web", workload: { spec } },
      }, headersOf(traceId));
      for await (const { steps } of clients().operations.watchOperation({ name })) {
        if (
          steps.some(({ name, attempts }) => name === "await_rollout" && attempts.length > 0)
        ) break;
      }
      await platform.kill();
      platform = await start();
      await clients().operations.cancelOperation({ name, reason: "enough" });
      await clients().operations.waitOperation({ name });
      await receiver.until((spans) => spans.some((span) => span.name === "resume workload.deploy"));
      const resume = receiver.spans.find((span) => span.name === "resume workload.deploy")!;
      assert.deepEqual([resume.links, resume.parentSpanId], [[traceId], ""]);
      const [root, ...below] = treeOf(receiver.spans, resume.traceId);
      assert.match(root!, /INTERNAL resume workload.deploy$/);
      assert.ok(below.some((line) => /await_rollout #2/.test(line)), below.join("\n"));
      const whole = receiver.spans.find((span) => span.name === "workload.deploy")!;
      assert.deepEqual([whole.traceId, whole.links], [traceId, [resume.traceId]]);
    } finally {
      await platform.kill();
      await Deno.remove(dataDir, { recursive: true });
    }
  },
);

/** What is at the address to which telemetry goes. */
const ENDPOINTS: readonly (readonly [string, () => { readonly port: number; close(): void }])[] = [
  ["hangs", () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted: Deno.Conn[] = [];
    const accepting = (async () => {
      for await (const connection of listener) accepted.push(connection);
    })();
    return {
      port: listener.addr.port,
      close() {
        listener.close();
        void accepting;
        for (const connection of accepted) connection.close();
      },
    };
  }],
  ["refuses", () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    return { port, close() {} };
  }],
];

/** Longer than a process takes on a busy machine, shorter than it takes without the task's limit (50 s). */
const STOPPED_MS = 20_000;

for (const [does, open] of ENDPOINTS) {
  Deno.test(`an endpoint of telemetry that ${does} harms nothing`, NO_SANITIZERS, async () => {
    const endpoint = open();
    try {
      const env = exportTo(`http://127.0.0.1:${endpoint.port}`);
      const platform = await startPlatform(["--ephemeral", "--simulated-delays=none"], { env });
      const web = createGrpcWebTransport({ baseUrl: platform.web.origin });
      for (let index = 0; index < 20; index++) {
        assert.equal(
          await create(web, `dev-${index}`, traceOf("e")),
          OperationState.SUCCEEDED,
        );
      }
      assert.equal((await fetch(new URL("/readyz", platform.web))).status, 200);
      const began = performance.now();
      await platform.stop();
      assert.equal((await platform.process.status).code, 0);
      const tookMs = performance.now() - began;
      assert.ok(tookMs < STOPPED_MS, `the process took ${tookMs} ms to stop`);
    } finally {
      endpoint.close();
    }
  });
}

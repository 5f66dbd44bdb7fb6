/** The API with a foreign client that has no protos and uses reflection: grpcurl. */
import assert from "node:assert/strict";
import { goTool } from "../servers/go_tool.ts";
import { startPlatform } from "../servers/platform_process.ts";

const text = new TextDecoder();

/** Runs `grpcurl` against one server. */
async function grpcurl(server: URL, args: readonly string[], data?: unknown) {
  const { code, stdout, stderr } = await new Deno.Command(await goTool("grpcurl"), {
    args: [
      ...["-plaintext", "-max-time", "30"],
      ...(data === undefined ? [] : ["-d", JSON.stringify(data)]),
      server.host,
      ...args,
    ],
  }).output();
  return { code, output: text.decode(stdout), error: text.decode(stderr) };
}

/** Makes a call that must succeed. */
async function call(server: URL, method: string, request: unknown) {
  const { code, output, error } = await grpcurl(server, [`mpc.v1.${method}`], request);
  assert.equal(code, 0, `${method} must succeed: ${error}`);
  return JSON.parse(output);
}

async function withServer(
  args: readonly string[],
  use: (server: URL, stop: () => Promise<void>) => Promise<void>,
) {
  const platform = await startPlatform(["--ephemeral", ...args]);
  try {
    await use(platform.grpc, () => platform.stop());
  } finally {
    await platform.stop();
  }
}

const web = { parent: "environments/dev", workload_id: "web" };

async function deployed(server: URL, image: string): Promise<string> {
  const method = "EnvironmentService/CreateEnvironment";
  const { name } = await call(server, method, { environment_id: "dev", environment: {} });
  await call(server, "OperationService/WaitOperation", { name });
  const workload = { spec: { image } };
  return (await call(server, "WorkloadService/DeployWorkload", { ...web, workload })).name;
}

Deno.test("grpcurl finds every service, method and field by reflection", () =>
  withServer([], async (server) => {
    const { output: services } = await grpcurl(server, ["list"]);
    assert.deepEqual(services.trim().split("\n"), [
      "google.longrunning.Operations",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "mpc.v1.AccessService",
      "mpc.v1.AuditService",
      "mpc.v1.DiagnosticsService",
      "mpc.v1.EnvironmentService",
      "mpc.v1.EventService",
      "mpc.v1.EventSinkService",
      "mpc.v1.OperationService",
      "mpc.v1.TokenService",
      "mpc.v1.WorkloadService",
    ]);
    for (const service of services.trim().split("\n")) {
      const { code, output } = await grpcurl(server, ["describe", service]);
      assert.equal(code, 0, `${service} is described`);
      assert.match(output, /^\s+rpc /m);
    }
    const { output } = await grpcurl(server, ["describe", "mpc.v1.Environment"]);
    assert.match(output, /\.google\.api\.resource\) = \{.*mpc\/Environment/s, "options too");
    const nothing = await grpcurl(server, ["describe", "mpc.v1.Nothing"]);
    assert.match(nothing.error, /Symbol not found/);
  }));

Deno.test("grpcurl deploys, waits, lists and reads logs", () =>
  withServer(["--simulated-delays=none"], async (server) => {
    const name = await deployed(server, "nginx:1.27");
    const { state } = await call(server, "OperationService/WaitOperation", { name });
    assert.equal(state, "OPERATION_STATE_SUCCEEDED");
    const list = { parent: "environments/-", filter: 'image = "nginx:*" AND state = READY' };
    const { workloads } = await call(server, "WorkloadService/ListWorkloads", list);
    assert.deepEqual(workloads.map(({ name }: { name: string }) => name), [
      "environments/dev/workloads/web",
    ]);
    const logs = { name: "environments/dev/workloads/web" };
    const { text } = await call(server, "WorkloadService/StreamLogs", logs);
    assert.equal(text, "starting nginx:1.27");
  }));

Deno.test("grpcurl shows every detail of an error", () =>
  withServer([], async (server) => {
    const request = { environment_id: "Bad_", environment: { ttl: "1s", labels: { "a b": "" } } };
    const method = "mpc.v1.EnvironmentService/CreateEnvironment";
    const { code, error } = await grpcurl(server, [method], request);
    assert.equal(code, 64 + 3, "grpcurl exits with 64 and the status code");
    assert.match(error, /"@type": "type\.googleapis\.com\/google\.rpc\.ErrorInfo"/);
    assert.match(error, /"reason": "INVALID_FIELDS"/);
    for (const field of ["environment_id", "environment.ttl", "environment.labels"]) {
      assert.ok(error.includes(`"field": "${field}`), `${field} is named: ${error}`);
    }
  }));

Deno.test("a call that runs when the server shuts down is answered, and the server exits", () =>
  withServer(["--grace=20"], async (server, stop) => {
    const name = await deployed(server, "nginx:slow");
    const waiting = new Deno.Command(await goTool("grpcurl"), {
      args: [
        ...["-plaintext", "-v", "-d", JSON.stringify({ name })],
        ...[server.host, "mpc.v1.OperationService/WaitOperation"],
      ],
      stdout: "piped",
    }).spawn();
    const output = waiting.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    let said = "";
    // grpcurl prints this just before it sends the call; another whole call gives it time to
    // arrive.
    while (!said.includes("Request metadata to send")) said += (await output.next()).value ?? "";
    const { done } = await call(server, "OperationService/GetOperation", { name });
    assert.equal(done, undefined, "the rollout takes some time");
    await stop();
    for (let next = await output.next(); !next.done; next = await output.next()) said += next.value;
    assert.equal((await waiting.status).code, 0, said);
    assert.match(said, /"state": "OPERATION_STATE_SUCCEEDED"/);
  }));

Deno.test("WaitOperation returns the current state when its own timeout has passed", () =>
  withServer([], async (server) => {
    const name = await deployed(server, "nginx:stuck");
    const request = { name, timeout: "0.5s" };
    const { done, state } = await call(server, "OperationService/WaitOperation", request);
    assert.deepEqual([done, state], [undefined, "OPERATION_STATE_RUNNING"]);
  }));

/** What the figures count, and that there are few of them however much the platform has. */
import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { createHandlerContext } from "@connectrpc/connect";
import { Components, intercept } from "@mpc/process";
import { EnvironmentService, GetEnvironmentRequestSchema } from "@mpc/proto";
import { toConnectError } from "../api/error_codes.ts";
import { MpcError } from "@mpc/domain";
import { createEnvironment, deployWorkload } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { embeddedEngine } from "../tests/fakes/engine_under_test.ts";
import { Platform } from "../tests/fakes/platform.ts";
import { storeContract } from "../tests/contract/store_contract.ts";
import { countAttempts, measureCalls, meteredStore, Metrics, metricsPage } from "./mod.ts";

const BUILD = { version: "1.2.3", process: "dev" };

storeContract(
  "metered memory",
  { durable: false, twoHandles: false, codePointOrder: true },
  () => {
    const metrics = new Metrics(BUILD);
    const store = meteredStore(openMemoryStore(), metrics);
    return Promise.resolve({
      store,
      openAgain: () => Promise.reject(new Error("a store in memory has only one handle")),
      async close() {
        metrics[Symbol.dispose]();
        await store.close();
      },
    });
  },
);

/** A platform whose store and engine are measured. */
async function measured() {
  const metrics = new Metrics(BUILD);
  const platform = await Platform.start({
    store: meteredStore(openMemoryStore(), metrics),
    engine: (options) => embeddedEngine({ ...options, onAttempt: countAttempts(metrics) }),
  });
  const page = metricsPage(metrics, {
    components: new Components(),
    store: platform.store,
    clock: platform.clock,
  });
  return {
    metrics,
    platform,
    /** The samples, by name and labels as they are on the page. */
    async samples(): Promise<ReadonlyMap<string, number>> {
      const text = await (await page()).text();
      const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
      return new Map(lines.map((line) => {
        const at = line.lastIndexOf(" ");
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }));
    },
    async close() {
      await platform.crash();
      metrics[Symbol.dispose]();
    },
  };
}

const createEnv = ({ platform }: Awaited<ReturnType<typeof measured>>, id: string) =>
  createEnvironment(platform.deps, platform.caller, { environmentId: id, environment: {} });

Deno.test("an operation is counted once, with its kind, its outcome and the attempts of its steps", async () => {
  const it = await measured();
  await it.platform.ended(await createEnv(it, "dev"));
  const deployed = await it.platform.ended(
    await deployWorkload(it.platform.deps, it.platform.caller, {
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "registry.example/broken:crash" } },
      etag: "",
      timeoutMs: null,
    }),
  );
  const samples = await it.samples();
  const of = (name: string, labels: string) => samples.get(`${name}{${labels}}`);
  const engine = `engine="embedded"`;
  const seconds = "mpc_operation_duration_seconds_count";
  assert.equal(of(seconds, `kind="environment.create",${engine},outcome="SUCCEEDED"`), 1);
  assert.equal(of(seconds, `kind="workload.deploy",${engine},outcome="${deployed.state}"`), 1);
  const endings = "mpc_operations_ended_total";
  assert.equal(of(endings, `kind="environment.create",fault="none"`), 1);
  assert.equal(of(endings, `kind="workload.deploy",fault="caller"`), 1);
  assert.equal(of(endings, `kind="workload.deploy",fault="platform"`), 0, "rates begin at 0");
  const attempts = [...samples].filter(([name]) => name.startsWith("mpc_step_attempts_total"));
  const ended = deployed.steps.flatMap(({ attempts }) => attempts).length + 2;
  assert.equal(attempts.reduce((sum, [, count]) => sum + count, 0), ended);
  assert.equal(
    of("mpc_events_written_total", `reason="OperationRequested"`),
    2,
    "one for each operation",
  );
  assert.equal(of("mpc_environments", `state="READY"`), 1);
  assert.equal(samples.get("mpc_operations_queue_age_seconds"), 0);
  assert.equal(samples.get("mpc_store_up"), 1);
  await it.close();
});

Deno.test("what waits is told with its age", async () => {
  const it = await measured();
  await it.platform.crash();
  await createEnv(it, "dev");
  await it.platform.clock.advance(90_000);
  const samples = await it.samples();
  assert.equal(samples.get("mpc_operations_queue_age_seconds"), 90);
  assert.equal(samples.get(`mpc_operations{state="PENDING"}`), 1);
  it.metrics[Symbol.dispose]();
});

Deno.test("a store that does not answer leaves a page without its figures, which says so", async () => {
  const it = await measured();
  await it.platform.crash();
  assert.equal((await it.samples()).get(`mpc_environments{state="READY"}`), 0);
  await it.platform.store.close();
  const samples = await it.samples();
  assert.equal(samples.get("mpc_store_up"), 0);
  assert.equal(samples.get(`mpc_environments{state="READY"}`), undefined);
  it.metrics[Symbol.dispose]();
});

Deno.test("1,000 environments add no series", async () => {
  const it = await measured();
  await it.platform.ended(await createEnv(it, "first"));
  const before = (await it.samples()).size;
  for (let index = 0; index < 999; index++) await createEnv(it, `e-${index}`);
  await it.platform.settle();
  const samples = await it.samples();
  assert.equal(samples.get(`mpc_environments{state="READY"}`), 1_000);
  assert.equal(samples.size, before);
  await it.close();
});

Deno.test("a call is measured by its method and code", async () => {
  const metrics = new Metrics(BUILD);
  const failure: { error?: unknown } = {};
  const { getEnvironment } = intercept(EnvironmentService, {
    getEnvironment: () => failure.error ? Promise.reject(failure.error) : {},
  }, [measureCalls(metrics)]);
  const call = () =>
    getEnvironment?.(
      create(GetEnvironmentRequestSchema),
      createHandlerContext({
        service: EnvironmentService,
        method: EnvironmentService.method.getEnvironment,
        protocolName: "grpc",
        requestMethod: "POST",
        url: "http://local",
      }),
    );
  await call();
  failure.error = toConnectError(
    new MpcError("NOT_FOUND", { reason: "ENVIRONMENT_NOT_FOUND", message: "there is none" }),
    () => {},
    () => "id",
  );
  await assert.rejects(async () => await call());
  const { text } = await metrics.page();
  const labels = `service="mpc.v1.EnvironmentService",method="GetEnvironment"`;
  for (const code of ["OK", "NOT_FOUND"]) {
    assert.match(
      text,
      new RegExp(`^mpc_rpc_duration_seconds_count{${labels},code="${code}"} 1$`, "m"),
    );
  }
  assert.match(text, new RegExp(`^mpc_rpc_running{${labels}} 0$`, "m"));
  metrics[Symbol.dispose]();
});

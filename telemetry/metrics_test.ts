/** What the figures count, and that there are few of them however much the platform has. */
import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { createHandlerContext } from "@connectrpc/connect";
import { Components, identify, type Identity, intercept } from "@mpc/process";
import { EnvironmentService, GetEnvironmentRequestSchema } from "@mpc/proto";
import { toConnectError } from "../api/error_codes.ts";
import { type JsonObject, MpcError } from "@mpc/domain";
import { createEnvironment, deployWorkload } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { embeddedEngine } from "../tests/fakes/engine_under_test.ts";
import { anEvent } from "../tests/fakes/documents.ts";
import { FakeClock } from "../tests/fakes/fake_clock.ts";
import { EmbeddedEngine, Expiry, Janitor } from "@mpc/worker";
import { Platform } from "../tests/fakes/platform.ts";
import { storeContract } from "../tests/contract/store_contract.ts";
import { faultyDefinitions, transient } from "../tests/fakes/faulty_definitions.ts";
import {
  countAttempts,
  countAuthentications,
  countFindings,
  countRequests,
  countRetries,
  measureCalls,
  meteredStore,
  Metrics,
  metricsPage,
} from "./mod.ts";

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
async function measured(definitions?: Platform["definitions"]) {
  const metrics = new Metrics(BUILD);
  const platform = await Platform.start({
    store: meteredStore(openMemoryStore(), metrics),
    engine: (options) =>
      embeddedEngine({
        ...options,
        onAttempt: countAttempts(metrics),
        onRetry: countRetries(metrics),
      }),
    ...(definitions && { definitions }),
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
      const text = await (await page(null)).text();
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

/** Of everything that a platform measures, without the libraries' own. */
const MAX_SERIES = 2_000;

Deno.test("1,000 environments add no series", async () => {
  const it = await measured();
  await it.platform.ended(await createEnv(it, "first"));
  const before = (await it.samples()).size;
  for (let index = 0; index < 999; index++) await createEnv(it, `e-${index}`);
  await it.platform.settle();
  const samples = await it.samples();
  assert.equal(samples.get(`mpc_environments{state="READY"}`), 1_000);
  assert.equal(samples.size, before);
  assert.ok(samples.size < MAX_SERIES, `${samples.size} series`);
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

/** The value of one series on the page. */
async function valueOf(metrics: Metrics, series: string): Promise<number | undefined> {
  const { text } = await metrics.page();
  const line = text.split("\n").find((line) => line.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

Deno.test("retries are counted by step and reason, and not the final failure", async () => {
  const failsTwice = (run: () => Promise<JsonObject | void>, call: number) =>
    call <= 2 ? Promise.reject(transient()) : run();
  const { definitions } = faultyDefinitions([
    { kind: "environment.create", step: "create_namespace", run: failsTwice },
  ]);
  const it = await measured(definitions);
  await it.platform.ended(await createEnv(it, "dev"));
  const samples = await it.samples();
  const retries = [...samples].filter(([name]) => name.startsWith("mpc_step_retries_total"));
  assert.equal(retries.length, 1, JSON.stringify(retries));
  const [[name, count] = ["", 0]] = retries;
  assert.match(name, /step="create_namespace",direction="run",reason="[A-Z_]+"/);
  const failed = [...samples].filter(([name]) =>
    name.startsWith("mpc_step_attempts_total") && name.includes(`result="failed"`)
  );
  assert.equal(count, failed.reduce((sum, [, value]) => sum + value, 0));
  await it.close();
});

Deno.test("the lag of the event log is what the slowest follower has not taken", async () => {
  const metrics = new Metrics(BUILD);
  const store = meteredStore(openMemoryStore(), metrics);
  const stop = new AbortController();
  const page = metricsPage(metrics, {
    ...{ components: new Components(), store, clock: new FakeClock() },
  });
  for (let count = 0; count < 5; count++) await store.events.append([anEvent(`${count}`)]);
  const follower = store.events.tail(0, stop.signal)[Symbol.asyncIterator]();
  const lag = async () => {
    await (await page(null)).text();
    return await valueOf(metrics, "mpc_event_log_lag");
  };
  await follower.next();
  assert.equal(await lag(), 5, "the first event is not taken yet");
  for (let count = 0; count < 3; count++) await follower.next();
  assert.equal(await lag(), 2);
  await follower.return?.();
  stop.abort();
  assert.equal(await lag(), 0, "nobody follows");
  metrics[Symbol.dispose]();
  await store.close();
});

Deno.test("callers are counted by their credentials, and refusals by their reason", async () => {
  const metrics = new Metrics(BUILD);
  const ann = { principal: "user:ann", groups: [], kind: "user" as const };
  const answers: (() => Identity | Promise<Identity>)[] = [
    () => ({ ...ann, authentication: "OIDC" }),
    () => Promise.resolve({ ...ann, authentication: "TOKEN" }),
    () => {
      throw new MpcError("UNAUTHENTICATED", { reason: "CREDENTIALS_MISSING", message: "none" });
    },
    () =>
      Promise.reject(
        new MpcError("UNAUTHENTICATED", { reason: "CREDENTIALS_EXPIRED", message: "old" }),
      ),
    () => ann,
  ];
  const authenticate = countAuthentications(metrics, () => answers.shift()!());
  const { getEnvironment } = intercept(EnvironmentService, { getEnvironment: () => ({}) }, [
    identify(authenticate),
  ]);
  const results = await Promise.allSettled(
    [...answers].map(async () =>
      await getEnvironment?.(create(GetEnvironmentRequestSchema), aContext())
    ),
  );
  assert.deepEqual(results.map(({ status }) => status), [
    ...["fulfilled", "fulfilled", "rejected", "rejected", "fulfilled"],
  ]);
  const outcomes = ["OIDC OK", "TOKEN OK", "NONE CREDENTIALS_MISSING", "NONE CREDENTIALS_EXPIRED"];
  for (const outcome of [...outcomes, "NONE OK"]) {
    const [kind, code] = outcome.split(" ");
    const labels = `{authentication="${kind}",outcome="${code}"}`;
    assert.equal(await valueOf(metrics, `mpc_authentications_total${labels}`), 1, outcome);
  }
  metrics[Symbol.dispose]();
});

const aContext = () =>
  createHandlerContext({
    service: EnvironmentService,
    method: EnvironmentService.method.getEnvironment,
    protocolName: "grpc",
    requestMethod: "POST",
    url: "http://local",
  });

Deno.test("kinds of objects that charts bring do not add series without end", async () => {
  const metrics = new Metrics(BUILD);
  const count = countRequests(metrics);
  for (let kind = 0; kind < 1_000; kind++) {
    count({ verb: "apply", kind: `Kind${kind}`, code: "200", durationMs: 3 });
  }
  const { text } = await metrics.page();
  const series = text.split("\n").filter((line) =>
    line.startsWith("mpc_kubernetes_requests_total{")
  );
  assert.equal(series.length, 61);
  assert.equal(
    await valueOf(
      metrics,
      `mpc_kubernetes_requests_total{verb="apply",kind="OTHER",code="200"}`,
    ),
    940,
  );
  metrics[Symbol.dispose]();
});

Deno.test("the janitor, expiry and drift passes say what they find", async () => {
  const metrics = new Metrics(BUILD);
  const observer = countFindings(metrics);
  const platform = await Platform.start();
  const { store, clock, provider, deps } = platform;
  const signal = new AbortController().signal;
  const ttlMs = 3_600_000;
  await platform.ended(
    await createEnvironment(deps, platform.caller, {
      environmentId: "dev",
      environment: { ttlMs },
    }),
  );
  await clock.advance(ttlMs);
  const expiry = new Expiry(deps, observer);
  await expiry.pass();
  await platform.settle();
  await expiry.close();
  await createEnvironment(deps, platform.caller, { environmentId: "lost", environment: {} });
  await platform.crash();
  const engine = new EmbeddedEngine({ store, provider, clock, ids: deps.ids });
  const janitor = new Janitor({ store, engine, provider, clock, signal, observer });
  await janitor.pass();
  assert.equal(
    await valueOf(metrics, `mpc_housekeeping_findings_total{pass="expiry",finding="EXPIRED"}`),
    1,
  );
  assert.equal(
    await valueOf(
      metrics,
      `mpc_housekeeping_findings_total{pass="janitor",finding="OPERATION_STARTED"}`,
    ),
    1,
  );
  await engine.close();
  metrics[Symbol.dispose]();
});

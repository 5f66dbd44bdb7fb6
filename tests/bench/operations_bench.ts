import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { EnvironmentService, OperationService, WorkloadService } from "@mpc/proto";
import { waitOperation } from "@mpc/services";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { Platform } from "../fakes/platform.ts";
import { create } from "../fakes/scenarios.ts";
import { startDeno } from "../servers/subprocess.ts";
import { BareCommits } from "./bare_commits.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, residentBytes, timed } from "./measure.ts";
import { startPlatform } from "../servers/platform_process.ts";

const ECHO = new URL("./programs/echo_server.ts", import.meta.url).pathname;
const ROUNDS = 150;
const IN_FLIGHT = 32;
const MANY = 1_000;

/** Creating environments through gRPC on SQLite, compared with the bare commits that it needs. */
export async function run(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  const { commits, bytes } = await costOfOne(join(directory, "one.db"));
  const platform = await startPlatform([
    "--data-dir",
    join(directory, "many"),
    "--simulated-delays=none",
  ]);
  const echo = startDeno(["run", "--allow-all", ECHO, "guarded"]);
  const echoPort = await echo.line((line) => /^\d+$/.test(line) ? Number(line) : undefined);
  const transport = createGrpcTransport(platform.grpc);
  const echoTransport = createGrpcTransport(new URL(`grpc://127.0.0.1:${echoPort}`));
  const bare = new BareCommits(directory, bytes);
  try {
    const environments = createClient(EnvironmentService, transport);
    const operations = createClient(OperationService, transport);
    const echoed = createClient(EnvironmentService, echoTransport);
    let count = 0;
    const create = async () => {
      const { name } = await environments.createEnvironment({
        environmentId: `e-${count++}`,
        environment: {},
      });
      await operations.waitOperation({ name, timeout: durationFromMs(10_000) });
    };
    const reference = async () => {
      await echoed.getEnvironment({ name: "environments/bench" });
      for (let commit = 0; commit < commits; commit++) bare.commit();
    };
    for (let round = 0; round < 30; round++) {
      await create();
      await reference();
    }
    const took: number[] = [];
    const bareTook: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      took.push(await timed(create));
      bareTook.push(await timed(reference));
    }
    const p50 = quantile(took);
    const bareP50 = quantile(bareTook);
    const bareRate = await bareOperationsPerSecond(bare, commits);
    const inFlight = await timed(() =>
      Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
        for (let round = 0; round < 20; round++) await create();
      }))
    );
    const rate = IN_FLIGHT * 20 / (inFlight / 1_000);
    const many = await manyAtOnce(platform.process.pid, environments, operations, transport);
    return [
      {
        name: "create an environment, p50",
        value: p50,
        unit: "ms",
        reference: `${commits} bare commits of ${bytes} B and an echo`,
        ratio: p50 / bareP50,
        target: { max: 3 },
        note: `${commits} commits per operation`,
      },
      {
        name: `create environments, ${IN_FLIGHT} in flight`,
        value: rate,
        unit: "/s",
        reference: "the rate that the bare commits allow",
        ratio: rate / bareRate,
        target: { min: 0.5 },
      },
      ...many,
    ];
  } finally {
    transport.close();
    echoTransport.close();
    bare.close();
    echo.kill("SIGKILL");
    await echo.status;
    await platform.stop();
    await rm(directory, { recursive: true });
  }
}

/** The commits and bytes per commit of one creation, counted inside the process. */
async function costOfOne(path: string): Promise<{ commits: number; bytes: number }> {
  const store = openSqliteStore({ path });
  const platform = await Platform.start({ store });
  try {
    const before = store.commits;
    const { operation } = await create(platform);
    await waitOperation(platform.deps, platform.caller, operation!.value.name, 10_000);
    const events = await store.events.read(0, 100);
    const size = events.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
    return { commits: store.commits - before, bytes: Math.round(size / events.length) };
  } finally {
    await platform.close();
  }
}

async function bareOperationsPerSecond(bare: BareCommits, commits: number): Promise<number> {
  const took = await timed(() => {
    for (let commit = 0; commit < commits * 100; commit++) bare.commit();
    return Promise.resolve();
  });
  return 100 / (took / 1_000);
}

/**
 * Many operations at once: memory stays constant, and none waits for another resource's operation.
 */
async function manyAtOnce(
  pid: number,
  environments: ReturnType<typeof createClient<typeof EnvironmentService>>,
  operations: ReturnType<typeof createClient<typeof OperationService>>,
  transport: ReturnType<typeof createGrpcTransport>,
): Promise<BenchRow[]> {
  const workloads = createClient(WorkloadService, transport);
  const stuck = await workloads.deployWorkload({
    parent: "environments/e-0",
    workloadId: "stuck",
    workload: { spec: { image: "nginx:stuck" } },
  });
  const before = await residentBytes(pid);
  let peak = before;
  const sampler = setInterval(async () => {
    peak = Math.max(peak, await residentBytes(pid));
  }, 50);
  const took = await timed(async () => {
    const admitted = await Promise.all(
      Array.from(
        { length: MANY },
        (_, index) =>
          environments.createEnvironment({ environmentId: `m-${index}`, environment: {} }),
      ),
    );
    await Promise.all(admitted.map(({ name }) => operations.waitOperation({ name })));
  });
  clearInterval(sampler);
  const { done } = await operations.getOperation({ name: stuck.name });
  return [
    {
      name: `${MANY} operations at once, memory growth at the peak`,
      value: (peak - before) / 2 ** 20,
      unit: "MB",
      target: { max: 100 },
      note: `all finished in ${(took / 1_000).toFixed(1)} s`,
    },
    {
      name: "operations that ended while another resource's was stuck",
      value: done ? 0 : MANY,
      unit: "",
      target: { min: MANY },
    },
  ];
}

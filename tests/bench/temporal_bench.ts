import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { INSTALLATION } from "@mpc/domain";
import { EnvironmentService, OperationService, OperationState } from "@mpc/proto";
import { Client } from "@temporalio/client";
import { NativeConnection, Worker } from "@temporalio/worker";
import { startAllInOne } from "../../api/all_in_one.ts";
import { bundleWorkflows } from "../../worker/engine/temporal/bundle_workflows.ts";
import { installRuntime } from "../../worker/engine/temporal/install_runtime.ts";
import { workflowIdOf } from "../../worker/engine/temporal/workflow_id.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { startApiProcess } from "../servers/api_process.ts";
import { startDeno } from "../servers/subprocess.ts";
import { startTemporalServer } from "../servers/temporal_server.ts";
import { startWorkerProcess } from "../servers/worker_process.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, timed } from "./measure.ts";

const ROUNDS = 60;
const AT_ONCE = 300;
const BURSTS = 3;

/** The cost of an operation on Temporal, compared with bare workflows on the same server. */
export async function run(): Promise<BenchRow[]> {
  installRuntime();
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(directory, { recursive: true }));
  const server = await startTemporalServer();
  stack.defer(() => server.stop());
  const connection = await NativeConnection.connect({ address: server.address });
  stack.defer(() => connection.close());
  const client = new Client({ connection });
  const bare = await startBare(connection, client, directory, stack);
  const ours = await startOurs(server.address, stack);
  const [oneBare, oneOurs] = await inTurns(ROUNDS, bare, (index) => ours.create(`one-${index}`));
  const bursts = await inTurns(
    BURSTS,
    () => burst(bare),
    (round) => burst((index) => ours.create(`burst-${round}-${index}`)),
  );
  const [manyBare, manyOurs] = bursts.map((ms) => AT_ONCE / (ms / 1_000)) as [number, number];
  const apart = await startApart(server.address, join(directory, "apart"), stack);
  const [againBare, oneApart] = await inTurns(ROUNDS, bare, apart);
  const { events } = await client.workflow.getHandle(await ours.last()).fetchHistory();
  const tasks = events!.filter(({ workflowTaskCompletedEventAttributes: task }) => task).length;
  return [
    {
      name: "create an environment on Temporal, p50",
      value: oneOurs,
      unit: "ms",
      reference: `bare workflow of 2 activities, ${oneBare.toFixed(1)} ms`,
      ratio: oneOurs / oneBare,
      target: { max: 1.5 },
      note: `${tasks} workflow tasks, ${events!.length} history events`,
    },
    {
      name: "the same with the API and a worker apart, records on disk",
      value: oneApart,
      unit: "ms",
      reference: `bare workflow of 2 activities, ${againBare.toFixed(1)} ms`,
      ratio: oneApart / againBare,
      target: { max: 1.5 },
    },
    {
      name: `${AT_ONCE} environments at once on Temporal`,
      value: manyOurs,
      unit: "/s",
      reference: `bare workflows, ${manyBare.toFixed(0)} /s`,
      ratio: manyOurs / manyBare,
      target: { min: 0.7 },
    },
    await startOfWorker(server.address, directory),
  ];
}

type Call = (index: number) => Promise<void>;

/** The medians, measured in turns, so that other load on the machine affects both alike. */
async function inTurns(rounds: number, a: Call, b: Call): Promise<[number, number]> {
  const took: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const times = [await timed(() => a(round)), await timed(() => b(round))] as const;
    // The first round warms up.
    if (round > 0) times.forEach((ms, index) => took[index]!.push(ms));
  }
  return [quantile(took[0]), quantile(took[1])];
}

async function burst(call: Call): Promise<void> {
  await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => call(index)));
}

/** Bare workflows, started eagerly, on a worker with our worker's settings. */
async function startBare(
  connection: NativeConnection,
  client: Client,
  directory: string,
  stack: AsyncDisposableStack,
): Promise<Call> {
  const codePath = join(directory, "bare.js");
  const workflows = new URL("./programs/bare_workflow.ts", import.meta.url).pathname;
  await writeFile(codePath, await bundleWorkflows({ workflows }));
  const nothing = () => Promise.resolve();
  const worker = await Worker.create({
    connection,
    taskQueue: "bare",
    workflowBundle: { codePath },
    activities: { first: nothing, second: nothing },
  });
  const running = worker.run();
  stack.defer(async () => {
    worker.shutdown();
    await running;
  });
  return async () => {
    const workflowId = crypto.randomUUID();
    const options = { taskQueue: "bare", workflowId, requestEagerStart: true };
    await (await client.workflow.start("bare", options)).result();
  };
}

/** The platform, called like by a program. */
async function startOurs(address: string, stack: AsyncDisposableStack) {
  const platform = await startAllInOne({
    ...QUIET_CONFIG,
    engine: "temporal",
    temporal: {
      ...QUIET_CONFIG.temporal,
      target: { address, namespace: "default", tls: null, apiKey: null },
    },
  });
  stack.defer(() => platform.close());
  const { host, port } = platform.webAddress;
  const createAndWait = creator(new URL(`http://${host}:${port}`));
  let last = "";
  return {
    /** Id of the last workflow. */
    async last() {
      const { value } = (await platform.store.installations.get(INSTALLATION))!;
      return workflowIdOf(value.id, last);
    },
    async create(environmentId: string): Promise<void> {
      last = await createAndWait(environmentId);
    },
  };
}

/** The API and a worker as processes of their own, with records on disk. */
async function startApart(
  temporal: string,
  dataDir: string,
  stack: AsyncDisposableStack,
): Promise<Call> {
  await mkdir(dataDir);
  const worker = await startWorkerProcess(dataDir, temporal);
  stack.defer(async () => {
    worker.process.kill("SIGTERM");
    await worker.process.status;
  });
  const api = await startApiProcess(dataDir, [worker.internal]);
  stack.defer(() => api.stop());
  const createAndWait = creator(api.web);
  return async (index) => {
    await createAndWait(`one-${index}`);
  };
}

/** Creates environments through a web door, and waits for them like a program. */
function creator(web: URL): (environmentId: string) => Promise<string> {
  const transport = createGrpcWebTransport({ baseUrl: web.origin });
  const environments = createClient(EnvironmentService, transport);
  const operations = createClient(OperationService, transport);
  return async (environmentId) => {
    const { name } = await environments.createEnvironment({ environmentId, environment: {} });
    const { state } = await operations.waitOperation({ name });
    if (state !== OperationState.SUCCEEDED) throw new Error(`it ended ${OperationState[state]}`);
    return name;
  };
}

/**
 * Measured in processes, because a worker starts only once; a warm bundler would not be realistic.
 */
async function startOfWorker(address: string, directory: string): Promise<BenchRow> {
  const codePath = join(directory, "workflows.js");
  await writeFile(codePath, await bundleWorkflows());
  const start = async (...args: string[]) => {
    const program = new URL("./programs/worker_start.ts", import.meta.url).pathname;
    const process = startDeno(["run", "--no-check", "--allow-all", program, address, ...args]);
    const { success } = await process.status;
    if (!success) throw new Error(process.output());
  };
  const [slow, quick] = await inTurns(3, () => start(), () => start(codePath));
  return {
    name: "worker start with the prepared bundle",
    value: quick,
    unit: "ms",
    reference: `with bundling, ${slow.toFixed(0)} ms`,
    ratio: quick / slow,
    target: { max: 0.5 },
  };
}

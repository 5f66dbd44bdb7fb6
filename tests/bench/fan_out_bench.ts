import { createClient } from "@connectrpc/connect";
import { EnvironmentService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { startPlatform } from "../servers/platform_process.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, rate, timed } from "./measure.ts";

const WATCHERS = 100;
const CREATING = 32;
const READING = 64;
const PHASE_MS = 1_500;
const ROUNDS = 5;

interface Rates {
  readonly creates: number;
  readonly gets: number;
  readonly getMs: number;
}

/** What many watchers cost calls: rates with and without them, in turns. */
export async function run(): Promise<BenchRow[]> {
  const platform = await startPlatform(["--ephemeral", "--simulated-delays=none"]);
  const transport = createGrpcTransport(platform.grpc);
  const environments = createClient(EnvironmentService, transport);
  await environments.createEnvironment({ environmentId: "read", environment: {} });
  let created = 0;
  const load = async (): Promise<Rates> => {
    const took: number[] = [];
    const [creates, gets] = await Promise.all([
      rate(() => {
        const environmentId = `load-${created++}`;
        return environments.createEnvironment({ environmentId, environment: {} });
      }, { ms: PHASE_MS, inFlight: CREATING }),
      rate(async () => {
        took.push(await timed(() => environments.getEnvironment({ name: "environments/read" })));
      }, { ms: PHASE_MS, inFlight: READING }),
    ]);
    return { creates, gets, getMs: quantile(took) };
  };
  const [alone, beside]: [Rates[], Rates[]] = [[], []];
  let watchers: Subprocess | undefined;
  try {
    await load();
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await load());
      watchers = await watch(platform.grpc, platform.web);
      beside.push(await load());
      await end(watchers);
    }
  } finally {
    if (watchers) await end(watchers);
    transport.close();
    await platform.stop();
  }
  const middle = (rates: readonly Rates[], name: keyof Rates) =>
    quantile(rates.map((rate) => rate[name]));
  const row = (name: "creates" | "gets"): BenchRow => ({
    name: `${name} beside ${WATCHERS} watchers`,
    value: middle(beside, name),
    unit: "calls/s",
    reference: `without them (${middle(alone, name).toFixed(0)})`,
    ratio: middle(beside, name) / middle(alone, name),
    target: { min: 0.5 },
    note: `${CREATING} clients create, ${READING} read`,
  });
  return [row("creates"), row("gets"), {
    name: `Get p50 beside ${WATCHERS} watchers`,
    value: middle(beside, "getMs"),
    unit: "ms",
    reference: `without them (${middle(alone, "getMs").toFixed(0)} ms)`,
    ratio: middle(beside, "getMs") / middle(alone, "getMs"),
    target: { max: 2 },
  }];
}

async function watch(grpc: URL, web: URL): Promise<Subprocess> {
  const program = new URL("./programs/raw_watchers.ts", import.meta.url).pathname;
  const args = ["run", "--allow-all", program, grpc.href, web.origin, `${WATCHERS}`];
  const watchers = startDeno(args);
  await watchers.line((line) => line === "ready" ? true : undefined);
  return watchers;
}

async function end(process: Subprocess): Promise<void> {
  process.kill("SIGKILL");
  await process.status;
}

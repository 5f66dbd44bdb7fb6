import process from "node:process";
import { Command } from "@commander-js/extra-typings";
import {
  type Address,
  countBetween,
  dataDirSetting,
  listenAddress,
  LOG_LEVELS,
  type LogLevel,
  oneOf,
  PROCESS_SETTINGS,
  readFlags,
} from "@mpc/process";
import { z } from "zod";

/** How a worker is to run. */
export interface WorkerConfig {
  /** Shared with the API and other workers. */
  readonly dataDir: string;
  readonly cluster: "simulated";
  /** Whether the simulated cluster takes its time. */
  readonly simulatedDelays: "demo" | "none";
  /** Steps that run at the same time in this worker, at most. */
  readonly concurrency: number;
  readonly healthListen: Address;
  readonly internalListen: Address;
  /** How long running steps may take to finish when it stops. */
  readonly graceMs: number;
  readonly logLevel: LogLevel;
}

const WORKER = z.object({
  ...PROCESS_SETTINGS,
  dataDir: z.string(),
  cluster: oneOf(["simulated"]),
  simulatedDelays: oneOf(["demo", "none"]),
  concurrency: countBetween(1, 1_000),
  healthListen: listenAddress,
  internalListen: listenAddress,
});

const HELP = `
Examples:
  MPC_DATA_DIR=$PWD/data deno task worker
  deno task worker --health-listen 127.0.0.1:0 --internal-listen 127.0.0.1:50062

Environment: MPC_DATA_DIR, MPC_CLUSTER, MPC_CONCURRENCY, MPC_HEALTH_LISTEN, MPC_INTERNAL_LISTEN,
MPC_LOG_LEVEL; flags win.`;

/**
 * Reads flags and environment.
 * @returns undefined where only help was asked for
 * @throws {MpcError} INVALID_ARGUMENT `USAGE`
 */
export function readWorkerConfig(args: readonly string[]): WorkerConfig | undefined {
  const env = process.env;
  const command = new Command("worker")
    .description("Carries out what the API admits; any number may run")
    .option("--data-dir <path>", "where records are kept, shared with the API", dataDirSetting())
    .option("--cluster <name>", "simulated", env["MPC_CLUSTER"] ?? "simulated")
    .option("--simulated-delays <how>", "demo: rollouts take their time; none", "demo")
    .option("--concurrency <steps>", "steps at the same time", env["MPC_CONCURRENCY"] ?? "100")
    .option(
      "--health-listen <host:port>",
      "/healthz and /readyz",
      env["MPC_HEALTH_LISTEN"] ?? "127.0.0.1:8081",
    )
    .option(
      "--internal-listen <host:port>",
      "reads of the cluster, for the API",
      env["MPC_INTERNAL_LISTEN"] ?? "127.0.0.1:50052",
    )
    .option("--log-level <level>", LOG_LEVELS.join(", "), env["MPC_LOG_LEVEL"] ?? "info")
    .option("--grace <seconds>", "how long running steps may take to finish", "10")
    .addHelpText("after", HELP);
  const flags = readFlags(command, WORKER, args);
  if (!flags) return undefined;
  const { grace, ...config } = flags;
  return { ...config, graceMs: grace * 1_000 };
}

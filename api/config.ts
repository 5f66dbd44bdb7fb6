import process from "node:process";
import { Command, CommanderError, InvalidArgumentError } from "@commander-js/extra-typings";
import { MpcError } from "@mpc/domain";
import envPaths from "env-paths";
import { z } from "zod";
import type { RateLimit } from "./interceptors/rate_limit.ts";
import { type Address, isLoopback, parseAddress } from "./address.ts";

/** How the all-in-one server is to run. */
export interface AllInOneConfig {
  /** Null to keep everything in memory. */
  readonly dataDir: string | null;
  readonly grpcListen: Address;
  readonly webListen: Address;
  /** Whether the simulated cluster takes its time. */
  readonly simulatedDelays: "demo" | "none";
  readonly logLevel: "debug" | "info" | "warning" | "error";
  readonly graceMs: number;
  /** Of each caller. */
  readonly rateLimit: RateLimit;
}

const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;

const HELP = `
Examples:
  deno task dev                                  data under the user's data directory
  deno task dev --ephemeral                      everything in memory
  deno task dev --data-dir ./data --web-listen 127.0.0.1:0

Environment: MPC_DATA_DIR, MPC_GRPC_LISTEN, MPC_WEB_LISTEN, MPC_LOG_LEVEL; flags win.`;

/**
 * Reads flags and environment.
 * @returns undefined where only help was asked for
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_ADDRESS` or `USAGE`
 */
export function readConfig(args: readonly string[]): AllInOneConfig | undefined {
  const env = process.env;
  const command = new Command("dev")
    .description("Runs the whole platform in one process, on this machine")
    .option(
      "--data-dir <path>",
      "where everything is kept",
      env["MPC_DATA_DIR"] ?? defaultDataDir(),
    )
    .option("--ephemeral", "keep everything in memory")
    .option("--grpc-listen <host:port>", "gRPC", env["MPC_GRPC_LISTEN"] ?? "127.0.0.1:50051")
    .option(
      "--web-listen <host:port>",
      "gRPC-Web, Connect and JSON",
      env["MPC_WEB_LISTEN"] ?? "127.0.0.1:8080",
    )
    .option("--simulated-delays <how>", "demo: rollouts take their time; none", choose, "demo")
    .option("--log-level <level>", LOG_LEVELS.join(", "), env["MPC_LOG_LEVEL"] ?? "warning")
    .option("--grace <seconds>", "how long running calls may take to finish", seconds, 10)
    .option("--rate-limit <calls>", "calls a second that each caller may make", calls, 1_000)
    .addHelpText("after", HELP)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  try {
    const options = command.parse([...args], { from: "user" }).opts();
    const logLevel = z.enum(LOG_LEVELS).safeParse(options.logLevel);
    if (!logLevel.success) {
      throw usage(`--log-level '${options.logLevel}' must be one of ${LOG_LEVELS.join(", ")}`);
    }
    return {
      dataDir: options.ephemeral ? null : options.dataDir,
      grpcListen: loopback("--grpc-listen", options.grpcListen),
      webListen: loopback("--web-listen", options.webListen),
      simulatedDelays: options.simulatedDelays,
      logLevel: logLevel.data,
      graceMs: options.grace * 1_000,
      rateLimit: { perSecond: options.rateLimit, burst: 2 * options.rateLimit },
    };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw usage(error.message.replace(/^error: /, ""));
  }
}

function defaultDataDir(): string {
  return envPaths("mpc", { suffix: "" }).data;
}

/** Without TLS and authentication only this machine may be listened to. */
function loopback(flag: string, text: string): Address {
  const address = parseAddress(flag, text);
  if (isLoopback(address)) return address;
  throw new MpcError("INVALID_ARGUMENT", {
    reason: "NOT_LOOPBACK",
    message:
      `Cannot listen on ${flag} '${text}': without TLS and authentication the host must be a loopback address such as 127.0.0.1`,
  });
}

function choose(text: string): "demo" | "none" {
  if (text === "demo" || text === "none") return text;
  throw new InvalidArgumentError("Must be demo or none.");
}

function calls(text: string): number {
  const value = Number(text);
  if (text !== "" && value >= 1 && value <= 1_000_000) return value;
  throw new InvalidArgumentError("Must be 1 to 1000000.");
}

function seconds(text: string): number {
  const value = Number(text);
  if (text !== "" && value >= 0 && value <= 600) return value;
  throw new InvalidArgumentError("Must be 0 to 600.");
}

function usage(message: string): MpcError {
  return new MpcError("INVALID_ARGUMENT", {
    reason: "USAGE",
    message: `${message}; see --help`,
  });
}

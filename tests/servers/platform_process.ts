import { startDeno, type Subprocess } from "./subprocess.ts";
import { taskCommand } from "./task_process.ts";

/** A server of the platform, started like by a user. */
export interface PlatformProcess {
  readonly process: Subprocess;
  readonly grpc: URL;
  readonly web: URL;
  stop(): Promise<void>;
  /** Kills it, like a power cut. */
  kill(): Promise<void>;
}

export interface PlatformOptions {
  readonly task?: "dev" | "dev:cluster";
  readonly env?: Readonly<Record<string, string>>;
  /** The limit of open files. */
  readonly descriptors?: number;
  /** The words of a command that runs it, for instance in a namespace. */
  readonly through?: readonly string[];
}

/** Starts the dev process like its task, on free ports, and waits until it prints its addresses. */
export async function startPlatform(
  args: readonly string[],
  { task = "dev", env = {}, descriptors, through = [] }: PlatformOptions = {},
): Promise<PlatformProcess> {
  const command = taskCommand(task);
  const process = startDeno(
    [
      ...command.args,
      "--grpc-listen=127.0.0.1:0",
      "--web-listen=127.0.0.1:0",
      // A suite is one caller, but makes as many calls as many callers.
      "--rate-limit=1000000",
      "--log-level=warning",
      ...args,
    ],
    { ...command.env, ...env },
    descriptors,
    through,
  );
  return await addressesOf(process);
}

/** Waits until a server prints its addresses. */
export async function addressesOf(process: Subprocess): Promise<PlatformProcess> {
  const grpc = await process.line((line) => /^ {2}gRPC +(\S+)$/.exec(line)?.[1]);
  const web = await process.line((line) => /^ {2}web +(\S+)$/.exec(line)?.[1]);
  return {
    process,
    grpc: new URL(`grpc://${grpc}`),
    web: new URL(web),
    async kill() {
      process.kill("SIGKILL");
      await process.status;
    },
    async stop() {
      process.kill("SIGTERM");
      await process.status;
    },
  };
}

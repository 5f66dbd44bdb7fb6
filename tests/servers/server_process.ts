/** A server program in the background; ended by its own pid. */
export interface ServerProcess {
  readonly pid: number;
  /** The end of its log, for errors. */
  log(): Promise<string>;
  /**
   * Calls `ready` repeatedly until it returns true.
   * @throws {Error} if the server ends, or is not ready in time, with its log
   */
  untilReady(ready: () => Promise<boolean>): Promise<void>;
  /** Ends it; does nothing if it has ended. */
  stop(signal?: Deno.Signal): Promise<void>;
}

export interface ServerCommand {
  /** For errors, and for the name of its log. */
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  /** The folder of its log. */
  readonly folder: string;
}

const READY_MS = 60_000;
const LOG_TAIL = 4_000;

/** Starts a server. Its output goes to `<name>.log` in its folder. */
export function startServer({ name, path, args, folder }: ServerCommand): ServerProcess {
  const logPath = `${folder}/${name}.log`;
  // The shell becomes the server, so that the pid is the server's and no output must be copied.
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$@" >>"$LOG" 2>&1', "sh", path, ...args],
    env: { LOG: logPath },
    stdin: "null",
  }).spawn();
  let ended = false;
  const status = child.status.then(() => ended = true);
  const log = async () => (await Deno.readTextFile(logPath)).slice(-LOG_TAIL);
  return {
    pid: child.pid,
    log,
    async untilReady(ready) {
      const end = Date.now() + READY_MS;
      let cause: unknown;
      while (!ended && Date.now() < end) {
        try {
          if (await ready()) return;
        } catch (error) {
          // It does not listen yet; the last error is reported at the timeout.
          cause = error;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const state = ended ? "has ended" : `is not ready after ${READY_MS / 1_000} s`;
      throw new Error(`Cannot use '${name}': it ${state}: ${await log()}`, { cause });
    },
    async stop(signal = "SIGKILL") {
      if (!ended) child.kill(signal);
      await status;
    },
  };
}

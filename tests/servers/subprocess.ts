/** A process of ours under test; stopped by its own pid. */
export interface Subprocess {
  readonly pid: number;
  /** Resolves with the first line of output that `pick` accepts. */
  line<T>(pick: (line: string) => T | undefined): Promise<T>;
  /** Its output so far. */
  output(): string;
  /** What it has printed to standard output so far. */
  stdout(): string;
  kill(signal: Deno.Signal): void;
  readonly status: Promise<Deno.CommandStatus>;
}

/** Long, because a process compiles its modules first, and other tests may keep the machine busy. */
const READY_MS = 60_000;

/**
 * Starts `deno` with these arguments.
 * @param descriptors limits how many files and sockets it may open
 * @param through the words of a command that runs it, for instance in a namespace
 */
export function startDeno(
  args: readonly string[],
  env: Record<string, string> = {},
  descriptors?: number,
  through: readonly string[] = [],
): Subprocess {
  const deno = Deno.execPath();
  const [program = deno, ...before] = [
    ...through,
    ...(descriptors === undefined
      ? [deno]
      // The shell becomes the process, so that the pid is the process's own.
      : ["sh", "-c", `ulimit -n ${descriptors} && exec "$@"`, "sh", deno]),
  ];
  const child = new Deno.Command(program, {
    args: [...before, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let printed = "";
  let toStdout = "";
  let told = Promise.withResolvers<void>();
  const read = async (stream: ReadableStream<Uint8Array>, isStdout: boolean) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      const text = decoder.decode(bytes, { stream: true });
      printed += text;
      if (isStdout) toStdout += text;
      told.resolve();
      told = Promise.withResolvers<void>();
    }
  };
  const drained = Promise.all([read(child.stdout, true), read(child.stderr, false)]);
  const status = child.status.then(async (status) => {
    await drained;
    told.resolve();
    return status;
  });
  let ended = false;
  status.then(() => ended = true);
  return {
    pid: child.pid,
    status,
    output: () => printed,
    stdout: () => toStdout,
    kill(signal) {
      if (!ended) child.kill(signal);
    },
    async line(pick) {
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => late.reject(new Error(`the process is not ready: ${printed}`)),
        READY_MS,
      );
      try {
        for (;;) {
          const next = told.promise;
          for (const line of printed.split("\n").slice(0, -1)) {
            const picked = pick(line);
            if (picked !== undefined) return picked;
          }
          if (ended) throw new Error(`the process ended: ${printed}`);
          await Promise.race([next, status, late.promise]);
        }
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

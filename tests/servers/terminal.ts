/** A program on a pseudo-terminal, which util-linux's `script` creates. */
export interface TerminalProgram {
  /** Types text; `\x03` is ctrl-C. */
  type(text: string): Promise<void>;
  /** Resolves when the output so far matches. @throws {Error} if it does not in time */
  until(pattern: RegExp): Promise<void>;
  /** The output so far, with its control sequences. */
  printed(): string;
  /** Its exit code. */
  readonly code: Promise<number>;
}

const PATIENCE_MS = 20_000;

/** Starts a command on a terminal of 100 columns. */
export function startInTerminal(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): TerminalProgram {
  const line = ["stty cols 100 rows 30; exec", ...command.map(quoted)].join(" ");
  const child = new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", line, "/dev/null"],
    // Nothing of the tests' own terminal: only the given variables are set.
    clearEnv: true,
    env: { ...inherited(), TERM: "xterm-256color", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = child.stdin.getWriter();
  let printed = "";
  let news = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      printed += text;
      news.resolve();
      news = Promise.withResolvers();
    }
  })();
  let ended: number | undefined;
  const code = (async () => {
    const { code } = await child.status;
    await reading;
    await input.close().catch(() => {});
    ended = code;
    news.resolve();
    return code;
  })();
  return {
    code,
    printed: () => printed,
    type: (text) => input.write(new TextEncoder().encode(text)),
    async until(pattern) {
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => late.reject(new Error(`${pattern} was not printed, but: ${printed}`)),
        PATIENCE_MS,
      );
      try {
        while (!pattern.test(printed)) {
          if (ended !== undefined) {
            throw new Error(`it ended with ${ended} before it printed ${pattern}: ${printed}`);
          }
          await Promise.race([news.promise, late.promise]);
        }
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function inherited(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME"];
  const found = names.map((name): [string, string] => [name, Deno.env.get(name) ?? ""]);
  return Object.fromEntries(found.filter(([, value]) => value !== ""));
}

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

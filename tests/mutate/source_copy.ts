import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Mutant } from "./mutant.ts";

/** The time limit of one mutant's tests; a mutant that makes them hang counts as killed. */
const TIMEOUT_MS = 60_000;

/** The time limit of all tests with the unchanged code. */
const ALL_TIMEOUT_MS = 900_000;

export type Verdict = "killed" | "timed out" | "survived" | "stale" | "invalid";

export interface Result {
  readonly verdict: Verdict;
  /** The end of the tests' output. */
  readonly output: string;
}

/** Files in memory, if the system has it, because tests of stores mostly wait for the disk. */
const MEMORY = "/dev/shm";

/** A copy of all files in git, including new ones, in which files can be changed. */
export class SourceCopy implements AsyncDisposable {
  readonly #folder: string;
  /** For files that the tests create. */
  readonly #scratch: string;

  private constructor(folder: string) {
    this.#folder = join(folder, "tree");
    this.#scratch = join(folder, "tmp");
  }

  static async make(root: string): Promise<SourceCopy> {
    const parent = await isFolder(MEMORY) ? MEMORY : tmpdir();
    const made = await mkdtemp(join(parent, "mpc-mutate-"));
    const folder = join(made, "tree");
    await mkdir(join(made, "tmp"));
    const copy = new SourceCopy(made);
    for (const path of await filesOf(root)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await copyFile(join(root, path), join(folder, path));
    }
    return copy;
  }

  /** Runs test files with the unchanged code. @returns their output if one fails */
  async failureOf(paths: readonly string[]): Promise<string | undefined> {
    const { verdict, output } = await this.#test([...paths, "--parallel"], ALL_TIMEOUT_MS);
    return verdict === "survived" ? undefined : `${verdict}: ${output}`;
  }

  async #test(args: readonly string[], timeoutMs: number): Promise<Result> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "--quiet",
        "--allow-all",
        "--no-prompt",
        "--no-check",
        "--fail-fast",
        ...args,
      ],
      cwd: this.#folder,
      env: { NO_COLOR: "1", TMPDIR: this.#scratch },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    const [{ code }, ...printed] = await Promise.all([
      child.status,
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    clearTimeout(timer);
    const output = printed.join("\n");
    return { verdict: late ? "timed out" : verdictOf(code, output), output: output.slice(-4_000) };
  }

  /** Applies a mutant, runs its tests, and reverts it. */
  async try({ file, find, replace, tests }: Mutant): Promise<Result> {
    const path = join(this.#folder, file);
    let source: string;
    try {
      source = await readFile(path, "utf8");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return { verdict: "stale", output: "there is no such file" };
    }
    const places = source.split(find).length - 1;
    if (places !== 1) {
      return { verdict: "stale", output: `its text occurs ${places} times, must occur once` };
    }
    await writeFile(path, source.replace(find, () => replace));
    try {
      return await this.#test(tests, TIMEOUT_MS);
    } finally {
      await writeFile(path, source);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(dirname(this.#folder), { recursive: true });
  }
}

/** A program that cannot be loaded says nothing about its tests. */
function verdictOf(code: number, output: string): Verdict {
  if (code === 0) return "survived";
  return /^FAILED \|/m.test(output) && !/could not be parsed|SyntaxError/.test(output)
    ? "killed"
    : "invalid";
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function filesOf(root: string): Promise<readonly string[]> {
  const { code, stdout } = await new Deno.Command("git", {
    args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
    cwd: root,
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error("Cannot list the files to copy: git ls-files failed");
  const paths = new TextDecoder().decode(stdout).split("\0").filter((path) => path !== "");
  const present = await Promise.all(paths.map(async (path) => {
    try {
      return (await Deno.stat(join(root, path))).isFile;
    } catch (error) {
      // Deleted, and not committed yet.
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }));
  return paths.filter((_, index) => present[index]);
}

import type { Connection } from "@mpc/client";
import type { Operation } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import { renderError } from "../errors/render_error.ts";
import { createLimit } from "../limit.ts";
import { idOf } from "../names.ts";
import type { ApplyView } from "../output/apply_view.ts";
import { waitForOperation } from "./follow_operation.ts";

/** How many changes run at a time. */
const CONCURRENCY = 8;

/** The change of one resource. */
export interface Task {
  readonly name: string;
  /** Names of the resources whose changes must succeed before this one. */
  readonly needs: readonly string[];
  /** The result while it runs and after its success, such as `creating` and `created`. */
  readonly words: { readonly running: string; readonly done: string };
  /** Submits the change; undefined if nothing is to be changed. */
  readonly submit: (() => Promise<Operation>) | undefined;
}

/** The outcome for one resource. */
export interface Result {
  readonly name: string;
  readonly result: string;
  /** Empty if nothing was submitted, as far as is known. */
  readonly operation: string;
  readonly exitCode: number;
}

/** What all changes of a run share. */
interface Run {
  readonly context: CommandContext;
  readonly connection: Connection;
  readonly view: ApplyView;
  /** Whether to wait for operations that no other change needs. */
  readonly waits: boolean;
  readonly timeoutMs: number | undefined;
  /** Called with the results in the order of the tasks, each as early as possible. */
  readonly onResult: (result: Result) => void;
}

/**
 * Runs changes in parallel, each after the changes that it needs. The failure of one stops only
 * those that need it. After ctrl-C nothing more is submitted; a second one does not even wait for
 * the answers to what was submitted.
 * @param tasks each after the tasks that it needs
 * @returns the results in the order of the tasks
 */
export async function runChanges(run: Run, tasks: readonly Task[]): Promise<readonly Result[]> {
  const interrupted = new AbortController();
  let hurry = () => {};
  const hurried = new Promise<undefined>((resolve) => hurry = () => resolve(undefined));
  const stopListening = run.context.host.onInterrupt(() => {
    if (interrupted.signal.aborted) hurry();
    interrupted.abort();
  });
  const limit = createLimit(CONCURRENCY);
  const needed = new Set(tasks.flatMap(({ needs }) => needs));
  const runs = new Map<string, Promise<Result>>();
  for (const task of tasks) {
    const waits = run.waits || needed.has(task.name);
    const one = new OneChange({ ...run, waits }, task, interrupted.signal, hurried);
    const before = task.needs.flatMap((name) => runs.get(name) ?? []);
    runs.set(
      task.name,
      (async () => {
        const results = await Promise.all(before);
        const failed = results.find(({ exitCode }) => exitCode !== EXIT.OK);
        return failed ? one.skip(failed) : await limit(() => one.run());
      })(),
    );
  }
  try {
    const results: Result[] = [];
    for (const running of runs.values()) {
      const result = await running;
      run.onResult(result);
      results.push(result);
    }
    return results;
  } finally {
    stopListening();
  }
}

class OneChange {
  readonly #run: Run;
  readonly #task: Task;
  readonly #interrupted: AbortSignal;
  readonly #hurried: Promise<undefined>;

  constructor(run: Run, task: Task, interrupted: AbortSignal, hurried: Promise<undefined>) {
    this.#run = run;
    this.#task = task;
    this.#interrupted = interrupted;
    this.#hurried = hurried;
  }

  skip({ name, exitCode }: Result): Result {
    if (exitCode === EXIT.DETACHED) return this.#end("stopped", "not applied", "", exitCode);
    this.#run.view.report(`Skipped ${this.#task.name}: it needs ${name}\n`);
    return this.#end("stopped", "skipped", "", exitCode);
  }

  async run(): Promise<Result> {
    const { view } = this.#run;
    const { name, words, submit } = this.#task;
    if (!submit) return this.#end("done", "unchanged", "", EXIT.OK);
    if (this.#interrupted.aborted) {
      return this.#end("stopped", "not applied", "", EXIT.DETACHED);
    }
    view.phase(name, "running", words.running);
    try {
      const operation = await Promise.race([submit(), this.#hurried]);
      if (operation) return await this.#follow(operation);
      view.report(`Whether the change of ${name} was admitted is unknown: see 'mpctl op list'\n`);
      return this.#end("stopped", "unknown", "", EXIT.DETACHED);
    } catch (error) {
      const { text, exitCode } = renderError(error, this.#run.context.config);
      view.report(text);
      return this.#end("failed", "failed", "", exitCode);
    }
  }

  async #follow(operation: Operation): Promise<Result> {
    const { context, connection, view, waits, timeoutMs } = this.#run;
    const { name, words } = this.#task;
    if (!waits) return this.#end("stopped", words.running, operation.name, EXIT.OK);
    const options = {
      timeoutMs,
      interrupted: this.#interrupted,
      note: (text: string) => view.note(text),
    };
    const show = (seen: Operation) => view.show(name, seen);
    const { stopped, exitCode, text } = await waitForOperation(
      context,
      connection,
      operation,
      options,
      show,
    );
    if (stopped) {
      if (stopped.why !== "interrupted") view.report(text);
      return this.#end("stopped", words.running, operation.name, exitCode);
    }
    view.report(text);
    if (exitCode === EXIT.OK) return this.#end("done", words.done, operation.name, exitCode);
    const result = exitCode === EXIT.CANCELLED ? "cancelled" : "failed";
    return this.#end("failed", result, operation.name, exitCode);
  }

  #end(
    phase: "done" | "failed" | "stopped",
    result: string,
    operation: string,
    exitCode: number,
  ): Result {
    const { name } = this.#task;
    this.#run.view.phase(name, phase, result);
    return { name, result, operation, exitCode };
  }
}

/** How to follow the operations that continue. */
export function watchLines(results: readonly Result[], tasks: readonly Task[]): string {
  const running = new Map(tasks.map(({ name, words }) => [name, words.running]));
  return results.filter(({ name, result, operation }) =>
    operation !== "" && result === running.get(name)
  ).map(({ name, operation }) =>
    `${name} continues; follow it with 'mpctl op watch ${idOf(operation)}'\n`
  ).join("");
}

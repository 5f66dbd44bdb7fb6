import type { Connection } from "@mpc/client";
import type { Operation } from "@mpc/proto";
import { type CommandContext, withConnection } from "../context.ts";
import { EXIT, usageError } from "../errors/cli_error.ts";
import { renderError } from "../errors/render_error.ts";
import { type Change, findChanges, submit } from "../manifests/change.ts";
import { readManifests } from "../manifests/manifest.ts";
import { findSurplus, prune, type Surplus } from "../manifests/prune.ts";
import { assertUnmoved, readPlan, savePlan } from "../manifests/saved_plan.ts";
import { environmentIdOf } from "../names.ts";
import { isForPeople, machineText } from "../output/format.ts";
import { printPlan } from "../output/plan.ts";
import { followOperation } from "./follow_operation.ts";

export interface ApplyFlags {
  readonly file?: readonly string[] | undefined;
  /** Where a plan is saved. */
  readonly out?: string | undefined;
  readonly dryRun?: true | undefined;
  readonly prune?: true | undefined;
  readonly selector?: string | undefined;
  readonly forceConflicts?: true | undefined;
  readonly wait?: boolean;
  readonly timeout?: number | undefined;
}

/** The outcome for one resource. */
interface Result {
  readonly name: string;
  readonly result: string;
  readonly operation: string;
  readonly exitCode: number;
}

/** `mpctl apply`, and `mpctl plan`, which is its dry run. */
export async function apply(
  context: CommandContext,
  flags: ApplyFlags,
  planFile?: string,
): Promise<number> {
  const { host } = context;
  if (flags.selector !== undefined && !flags.prune) {
    throw usageError("Cannot use -l without --prune: it says what --prune may delete");
  }
  const saved = planFile === undefined ? undefined : await readPlan(host, planFile);
  const manifests = saved?.manifests ?? await readManifests(host, flags.file ?? []);
  const selector = saved ? saved.selector : flags.prune ? flags.selector ?? "" : null;
  return await withConnection(context, async (connection) => {
    const surplus = selector === null ? [] : await findSurplus(connection, manifests, selector);
    const changes = await findChanges(connection, manifests, flags);
    if (saved) assertUnmoved(saved, changes, surplus);
    if (flags.out !== undefined) await savePlan(host, flags.out, { selector, changes, surplus });
    if (flags.dryRun) return await showPlans(context, changes, surplus);
    return await new Application(context, connection, flags).run(changes, surplus);
  });
}

async function showPlans(
  context: CommandContext,
  changes: readonly Change[],
  surplus: readonly Surplus[],
): Promise<number> {
  const { terminal, config } = context;
  if (!isForPeople(config.output)) {
    const json = [
      ...changes.map(({ manifest: { name }, action }) => ({ name, action })),
      ...surplus.map(({ name }) => ({ name, action: "delete" })),
    ];
    terminal.out(await machineText(config.output, json));
    return EXIT.OK;
  }
  for (const change of changes) {
    if (change.action === "none") terminal.out(`= ${change.manifest.name}\n`);
    else {
      terminal.out(changeText(change));
      if (change.plan) await printPlan(context, change.plan);
    }
  }
  for (const { name } of surplus) terminal.out(`- ${name}\n`);
  const count = (action: string) => changes.filter((change) => change.action === action).length;
  terminal.out(
    `${count("create")} to create, ${count("update")} to change, ${surplus.length} to delete, ` +
      `${count("none")} unchanged\n`,
  );
  return EXIT.OK;
}

/** One run of apply: the failure of a resource stops only the resources that need it. */
class Application {
  readonly #context: CommandContext;
  readonly #connection: Connection;
  readonly #flags: ApplyFlags;
  readonly #results: Result[] = [];

  constructor(context: CommandContext, connection: Connection, flags: ApplyFlags) {
    this.#context = context;
    this.#connection = connection;
    this.#flags = flags;
  }

  async run(changes: readonly Change[], surplus: readonly Surplus[]): Promise<number> {
    const workloads = changes.filter(({ manifest }) => manifest.kind === "workload");
    const needed = new Set(workloads.map(({ manifest }) => environmentIdOf(manifest.name)));
    for (const change of changes) {
      const { kind, name } = change.manifest;
      const isNeeded = kind === "environment" && needed.has(environmentIdOf(name));
      await this.#attempt(name, () => this.#apply(change, isNeeded));
    }
    for (const one of surplus) {
      const isNeeded = one.kind === "workload";
      await this.#attempt(one.name, async () => {
        const operation = await prune(this.#connection, one);
        return await this.#follow(one.name, operation, "pruned", isNeeded);
      });
    }
    const { config, terminal } = this.#context;
    if (!isForPeople(config.output)) {
      const json = this.#results.map(({ exitCode: _, ...result }) => result);
      terminal.out(await machineText(config.output, json));
    }
    return this.#results.find(({ exitCode }) => exitCode !== EXIT.OK)?.exitCode ?? EXIT.OK;
  }

  async #attempt(name: string, attempt: () => Promise<Result>): Promise<void> {
    // After ctrl-C nothing more is submitted.
    if (this.#results.some(({ exitCode }) => exitCode === EXIT.DETACHED)) {
      return this.#report({ name, result: "not applied", operation: "", exitCode: EXIT.DETACHED });
    }
    const parent = this.#results.find(({ name: other, exitCode }) =>
      exitCode !== EXIT.OK && name.startsWith(`${other}/`)
    );
    if (parent) {
      const { exitCode } = parent;
      return this.#report({ name, result: "skipped", operation: "", exitCode });
    }
    try {
      this.#report(await attempt());
    } catch (error) {
      const { text, exitCode } = renderError(error, this.#context.config.server.href);
      this.#context.terminal.err(text);
      this.#report({ name, result: "failed", operation: "", exitCode });
    }
  }

  async #apply({ manifest, action, live }: Change, isNeeded: boolean): Promise<Result> {
    const { name } = manifest;
    if (action === "none") return { name, result: "unchanged", operation: "", exitCode: EXIT.OK };
    const { forceConflicts = false } = this.#flags;
    const options = { validateOnly: false, forceConflicts };
    const operation = await submit(this.#connection, manifest, live, options);
    const done = action === "create" ? "created" : "configured";
    return await this.#follow(name, operation, done, isNeeded);
  }

  /** Waits unless `--no-wait` is set, and always if later resources need this one. */
  async #follow(
    name: string,
    operation: Operation,
    done: string,
    isNeeded: boolean,
  ): Promise<Result> {
    const result = { name, operation: operation.name };
    if (this.#flags.wait === false && !isNeeded) {
      return { ...result, result: `${done} (not waited for)`, exitCode: EXIT.OK };
    }
    this.#context.terminal.err(`${name}\n`);
    const { timeout } = this.#flags;
    const exitCode = await followOperation(this.#context, this.#connection, operation, timeout);
    if (exitCode === EXIT.DETACHED) {
      return { ...result, result: `${done} (not waited for)`, exitCode };
    }
    return { ...result, result: exitCode === EXIT.OK ? done : "failed", exitCode };
  }

  #report(result: Result): void {
    this.#results.push(result);
    const { config, terminal } = this.#context;
    if (isForPeople(config.output)) terminal.out(`${result.name} ${result.result}\n`);
  }
}

/** `mpctl diff` */
export async function diff(
  context: CommandContext,
  flags: { readonly file: readonly string[]; readonly forceConflicts?: true | undefined },
): Promise<number> {
  const manifests = await readManifests(context.host, flags.file);
  return await withConnection(context, async (connection) => {
    const changes = await findChanges(connection, manifests, flags);
    const wanted = changes.filter(({ action }) => action !== "none");
    if (isForPeople(context.config.output)) {
      for (const change of wanted) context.terminal.out(changeText(change));
    } else {
      const json = wanted.map(({ manifest: { name }, action, differences }) => ({
        name,
        action,
        differences: differences.map((difference) => ({ ...difference })),
      }));
      context.terminal.out(await machineText(context.config.output, json));
    }
    return wanted.length > 0 ? EXIT.DIFFERENCES : EXIT.OK;
  });
}

/** Formats a change for people. */
function changeText({ manifest: { name }, action, differences, plan }: Change): string {
  const lines = [`${action === "create" ? "+" : "~"} ${name}`];
  for (const { path, before, after } of differences) {
    lines.push(`    ${path}: ${before || "(none)"} → ${after || "(none)"}`);
  }
  if (!plan) lines.push("    its objects can be planned once its environment exists");
  return `${lines.join("\n")}\n`;
}

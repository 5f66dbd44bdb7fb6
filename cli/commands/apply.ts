import type { Operation } from "@mpc/proto";
import { usageError } from "../cli_error.ts";
import { connect, type Connection } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { followOperation } from "../follow_operation.ts";
import { type Change, findChanges, submit } from "../manifests/change.ts";
import { readManifests } from "../manifests/manifest.ts";
import { findSurplus, prune, type Surplus } from "../manifests/prune.ts";
import { environmentIdOf } from "../names.ts";
import { isForPeople } from "../output/format.ts";
import { machineText } from "../output/machine_text.ts";
import { printPlan } from "../output/plan.ts";
import { renderError } from "../render_error.ts";
import { changeText } from "./diff.ts";

export interface ApplyFlags {
  readonly file: readonly string[];
  readonly dryRun?: true | undefined;
  readonly prune?: true | undefined;
  readonly selector?: string | undefined;
  readonly wait?: boolean;
  readonly timeout?: number | undefined;
}

/** What became of one resource. */
interface Result {
  readonly name: string;
  readonly result: string;
  readonly operation: string;
  readonly exitCode: number;
}

/** `mpctl apply`, and `mpctl plan`, which is its dry run. */
export async function run(context: CommandContext, flags: ApplyFlags): Promise<number> {
  if (flags.selector !== undefined && !flags.prune) {
    throw usageError("Cannot use -l without --prune: it says what --prune may delete");
  }
  const manifests = await readManifests(context.host, flags.file);
  const connection = await connect(context);
  try {
    const surplus = flags.prune
      ? await findSurplus(connection, manifests, flags.selector ?? "")
      : [];
    const changes = await findChanges(connection, manifests);
    if (flags.dryRun) return await showPlans(context, changes, surplus);
    return await new Application(context, connection, flags).run(changes, surplus);
  } finally {
    connection.close();
  }
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
      `${count("none")} as wanted\n`,
  );
  return EXIT.OK;
}

/** One run of apply: what one resource ends with does not stop the others that do not need it. */
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
    // Ctrl-C: what is not asked for yet stays so.
    if (this.#results.some(({ exitCode }) => exitCode === EXIT.DETACHED)) return;
    const parent = this.#results.find(({ name: other, exitCode }) =>
      exitCode !== EXIT.OK && name.startsWith(`${other}/`)
    );
    if (parent) {
      const { exitCode } = parent;
      return this.#tell({ name, result: "skipped", operation: "", exitCode });
    }
    try {
      this.#tell(await attempt());
    } catch (error) {
      const { text, exitCode } = renderError(error, this.#context.config.server.href);
      this.#context.terminal.err(text);
      this.#tell({ name, result: "failed", operation: "", exitCode });
    }
  }

  async #apply({ manifest, action }: Change, isNeeded: boolean): Promise<Result> {
    const { name } = manifest;
    if (action === "none") return { name, result: "unchanged", operation: "", exitCode: EXIT.OK };
    const options = { validateOnly: false };
    const operation = await submit(this.#connection, manifest, action === "update", options);
    const done = action === "create" ? "created" : "configured";
    return await this.#follow(name, operation, done, isNeeded);
  }

  /** Waits where the person wants it, or where what comes next needs it. */
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
    return { ...result, result: exitCode === EXIT.OK ? done : "failed", exitCode };
  }

  #tell(result: Result): void {
    this.#results.push(result);
    const { config, terminal } = this.#context;
    if (isForPeople(config.output)) terminal.out(`${result.name} ${result.result}\n`);
  }
}

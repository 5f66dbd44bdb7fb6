import type { Connection } from "@mpc/client";
import { type CommandContext, type Note, withConnection } from "../context.ts";
import { EXIT, usageError } from "../errors/cli_error.ts";
import { BrokenPipe } from "../host/mod.ts";
import { type Change, findChanges, submit, submitCompared } from "../manifests/change.ts";
import { readManifests } from "../manifests/manifest.ts";
import { findSurplus, prune, type Surplus } from "../manifests/prune.ts";
import { assertUnmoved, readPlan, savePlan } from "../manifests/saved_plan.ts";
import { environmentIdOf, environmentName } from "../names.ts";
import { type ApplyView, createApplyView } from "../output/apply_view.ts";
import { isForPeople, machineText } from "../output/format.ts";
import { printPlan } from "../output/plan.ts";
import { elapsed } from "../output/time.ts";
import { confirmPrune } from "./confirm_prune.ts";
import { type Result, runChanges, type Task, watchLines } from "./run_changes.ts";

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
  /** Prunes without a question. */
  readonly yes?: true | undefined;
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
  let view: ApplyView | undefined;
  const note: Note = (text) => view ? view.note(text) : context.terminal.err(`${text}\n`);
  return await withConnection(context, async (connection) => {
    const surplus = selector === null ? [] : await findSurplus(connection, manifests, selector);
    const changes = await findChanges(connection, manifests, flags);
    if (saved) assertUnmoved(saved, changes, surplus);
    if (flags.out !== undefined) await savePlan(host, flags.out, { selector, changes, surplus });
    if (flags.dryRun) return await showPlans(context, changes, surplus);
    // A saved plan has shown the deletions before.
    const isAsked = !saved && !flags.yes;
    if (isAsked && !await confirmPrune(context, surplus.map(({ name }) => name))) {
      context.terminal.err("Nothing was changed\n");
      return EXIT.CANCELLED;
    }
    const { forceConflicts = false } = flags;
    const options = { selector, forceConflicts, saved: saved !== undefined };
    const tasks = tasksOf(connection, changes, surplus, options);
    view = await createApplyView(context, tasks.map(({ name }) => name));
    return await run(context, connection, view, flags, tasks);
  }, note);
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

/** The changes and deletions, each after those that it needs. */
function tasksOf(
  connection: Connection,
  changes: readonly Change[],
  surplus: readonly Surplus[],
  { selector, forceConflicts, saved }: {
    readonly selector: string | null;
    readonly forceConflicts: boolean;
    /** Whether a saved plan is applied, so that the changes must be the ones it showed. */
    readonly saved: boolean;
  },
): readonly Task[] {
  const names = new Set(changes.map(({ manifest: { name } }) => name));
  const environmentOf = (name: string) => environmentName(environmentIdOf(name));
  const changed = [
    ...changes.filter(({ action }) => action !== "none").map(({ manifest: { name } }) => name),
    ...surplus.map(({ name }) => name),
  ];
  /** Whether no other change of this run, in the same environment, outdates its plan. */
  const isAlone = (name: string) =>
    changed.every((other) => other === name || environmentOf(other) !== environmentOf(name));
  return [
    ...changes.map((change): Task => {
      const { manifest, action, live, plan } = change;
      const { name, kind } = manifest;
      // An environment is changed before the workloads in it.
      const planHash = saved && (kind === "environment" || isAlone(name))
        ? plan?.plan?.planHash ?? ""
        : "";
      const options = { validateOnly: false, forceConflicts, planHash };
      return {
        name,
        needs: kind === "workload" && names.has(environmentOf(name)) ? [environmentOf(name)] : [],
        words: WORDS[action],
        submit: action === "none"
          ? undefined
          : () =>
            planHash === ""
              ? submitCompared(connection, change, options)
              : submit(connection, manifest, live, options),
      };
    }),
    // What is new must be there before what it replaces is deleted.
    ...surplus.map((one): Task => ({
      name: one.name,
      needs: [
        ...names,
        ...surplus.filter(({ name }) => name.startsWith(`${one.name}/`)).map(({ name }) => name),
      ],
      words: WORDS.delete,
      submit: () =>
        prune(connection, one, {
          selector: selector ?? "",
          planHash: isAlone(one.name) ? one.planHash : "",
        }),
    })),
  ];
}

const WORDS = {
  create: { running: "creating", done: "created" },
  update: { running: "configuring", done: "configured" },
  none: { running: "checking", done: "unchanged" },
  delete: { running: "pruning", done: "pruned" },
} as const;

async function run(
  context: CommandContext,
  connection: Connection,
  view: ApplyView,
  { wait = true, timeout }: ApplyFlags,
  tasks: readonly Task[],
): Promise<number> {
  const { config, terminal } = context;
  const forPeople = isForPeople(config.output);
  const start = performance.now();
  const print = ({ name, result }: Result) => {
    try {
      terminal.out(`${name} ${result}\n`);
    } catch (error) {
      // Nobody reads the results any more; the changes and the exit code are as before.
      if (!(error instanceof BrokenPipe)) throw error;
    }
  };
  const results = await runChanges({
    context,
    connection,
    view,
    waits: wait,
    timeoutMs: timeout,
    onResult(result) {
      if (forPeople && !terminal.draws) print(result);
    },
  }, tasks);
  view.end();
  if (!forPeople) {
    const json = results.map(({ exitCode: _, ...result }) => result);
    terminal.out(await machineText(config.output, json));
  } else if (terminal.draws && !terminal.showsResults) {
    results.forEach(print);
  }
  terminal.err(`${totalOf(results)} (${elapsed(performance.now() - start)})\n`);
  terminal.err(watchLines(results, tasks));
  const codes = results.map(({ exitCode }) => exitCode).filter((code) => code !== EXIT.OK);
  return codes.find((code) => code === EXIT.DETACHED) ?? codes[0] ?? EXIT.OK;
}

/** How many resources had each result, in the order in which the results first occur. */
function totalOf(results: readonly Result[]): string {
  const counts = new Map<string, number>();
  for (const { result } of results) counts.set(result, (counts.get(result) ?? 0) + 1);
  return [...counts].map(([result, count]) => `${count} ${result}`).join(", ");
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
  for (const { path, before, after, note } of differences) {
    const remark = note === undefined ? "" : ` (${note})`;
    lines.push(`    ${path}: ${before || "(none)"} → ${after || "(none)"}${remark}`);
  }
  if (!plan) lines.push("    its objects can be planned once its environment exists");
  return `${lines.join("\n")}\n`;
}

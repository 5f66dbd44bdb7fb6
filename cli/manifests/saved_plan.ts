/**
 * A saved plan: `apply FILE` makes the changes that `plan --out FILE` showed, and none if one of them
 * would differ by now. While it runs, the server rejects a change whose plan has become outdated,
 * unless another change of the same run is in its environment.
 */
import { toJson } from "@bufbuild/protobuf";
import { EnvironmentSchema, WorkloadSchema } from "@mpc/proto";
import { CliError, EXIT, usageError } from "../errors/cli_error.ts";
import type { Host } from "../host/mod.ts";
import type { Change } from "./change.ts";
import { type Manifest, manifestOf } from "./manifest.ts";
import type { Surplus } from "./prune.ts";
import { readText } from "./read_message.ts";

/** The version of the file's format. */
const VERSION = 1;

/** The input of a plan, and a hash of each of its changes. */
export interface SavedPlan {
  readonly manifests: readonly Manifest[];
  /** The selector of `--prune`; null without pruning. */
  readonly selector: string | null;
  readonly hashes: Readonly<Record<string, string>>;
}

/**
 * Writes a plan to a file that only its owner can read, because it contains secret values. Replaces
 * an earlier plan, and no other file.
 * @throws {CliError} usage
 */
export async function savePlan(
  host: Host,
  path: string,
  plan: {
    readonly selector: string | null;
    readonly changes: readonly Change[];
    readonly surplus: readonly Surplus[];
  },
): Promise<void> {
  const resources = plan.changes.map(({ manifest }) =>
    manifest.kind === "environment"
      ? toJson(EnvironmentSchema, manifest.resource)
      : toJson(WorkloadSchema, manifest.resource)
  );
  const before = await host.readTextFile(path);
  if (before !== undefined && !Array.isArray(parse(before)?.resources)) {
    throw usageError(
      `Cannot save the plan as '${path}': the file exists and is not a plan`,
      "Name another file, or remove it",
    );
  }
  const { selector, changes, surplus } = plan;
  const saved = { plan: VERSION, selector, hashes: hashesOf(changes, surplus), resources };
  await host.writeTextFile(path, `${JSON.stringify(saved, null, 2)}\n`);
}

/** @throws {CliError} usage, if the file is not a plan that this version can read */
export async function readPlan(host: Host, path: string): Promise<SavedPlan> {
  const text = await readText(host, path);
  const saved = parse(text);
  if (saved?.plan !== VERSION || !Array.isArray(saved.resources)) {
    throw usageError(
      `Cannot read '${path}' as a plan: it must be a file of 'mpctl plan --out'`,
      "'mpctl apply -f' applies manifests",
    );
  }
  const manifests = saved.resources.map((value, index) =>
    manifestOf({ value, place: `${path}, resource ${index + 1}`, find: () => undefined })
  );
  return { manifests, selector: saved.selector ?? null, hashes: saved.hashes ?? {} };
}

interface PlanFile {
  readonly plan?: unknown;
  readonly selector?: string | null;
  readonly hashes?: Readonly<Record<string, string>>;
  readonly resources?: unknown;
}

function parse(text: string): PlanFile | undefined {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    // It is reported as a file that is not a plan.
    return undefined;
  }
}

/** @throws {CliError} conflict, with the resources whose changes differ now */
export function assertUnmoved(
  { hashes }: SavedPlan,
  changes: readonly Change[],
  surplus: readonly Surplus[],
): void {
  const found = hashesOf(changes, surplus);
  const names = new Set([...Object.keys(hashes), ...Object.keys(found)]);
  const moved = [...names].filter((name) => hashes[name] !== found[name]);
  if (moved.length === 0) return;
  throw new CliError(
    `Cannot apply the plan: the world has moved since it was made (${moved.join(", ")})`,
    { exitCode: EXIT.CONFLICT, hint: "Run 'mpctl plan --out' again" },
  );
}

/** Identifies the change of each resource, and the state that it is based on. */
function hashesOf(
  changes: readonly Change[],
  surplus: readonly Surplus[],
): Readonly<Record<string, string>> {
  return Object.fromEntries([
    ...changes.map(({ manifest: { name }, action, plan }) => [
      name,
      [action, plan?.plan?.planHash].filter(Boolean).join(" "),
    ]),
    ...surplus.map(({ name, planHash }) => [name, `delete ${planHash}`]),
  ]);
}

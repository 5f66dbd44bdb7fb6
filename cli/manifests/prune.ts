import { type Connection, unlessNotFound } from "@mpc/client";
import {
  type Environment,
  EnvironmentService,
  type Operation,
  type Workload,
  WorkloadService,
} from "@mpc/proto";
import { CliError, EXIT, usageError } from "../errors/cli_error.ts";
import { readPages } from "../flags/list_flags.ts";
import { parseSelector, selects } from "../flags/selector.ts";
import { createLimit } from "../limit.ts";
import type { Manifest } from "./manifest.ts";

/** How many deletions are planned at a time. */
const CONCURRENCY = 8;

/** A resource that the selector matches and no file contains. */
export interface Surplus {
  readonly kind: "environment" | "workload";
  readonly name: string;
  readonly uid: string;
  /** The hash of its deletion's plan. */
  readonly planHash: string;
}

/**
 * Finds the resources to prune, workloads first, then environments, and requests the plan of each
 * deletion. A deletion that the server rejects is so known before anything changes: that of a
 * protected environment, or of one with workloads that are not pruned.
 * @throws {CliError} usage, if a manifest lacks the labels, because the next run would prune it
 */
export async function findSurplus(
  connection: Connection,
  manifests: readonly Manifest[],
  selector: string,
): Promise<readonly Surplus[]> {
  const conditions = parseSelector(selector);
  if (conditions.length === 0) throw usageError("Cannot prune without a selector: add -l LABELS");
  for (const { name, resource } of manifests) {
    if (selects(conditions, resource.labels)) continue;
    throw usageError(`Cannot prune by '${selector}': '${name}' does not have these labels itself`);
  }
  const wanted = new Set(manifests.map(({ name }) => name));
  const workloads = await readPages({ selector }, async (request) => {
    const client = connection.client(WorkloadService);
    const answer = await client.listWorkloads({ ...request, parent: "environments/-" });
    return { items: answer.workloads, nextPageToken: answer.nextPageToken };
  });
  const environments = await readPages({ selector }, async (request) => {
    const answer = await connection.client(EnvironmentService).listEnvironments(request);
    return { items: answer.environments, nextPageToken: answer.nextPageToken };
  });
  const gone = workloads.items.filter(({ name }) => !wanted.has(name));
  const empty = environments.items.filter(({ name }) => !wanted.has(name));
  const limit = createLimit(CONCURRENCY);
  const pruned = new Set(gone.map(({ name }) => name));
  return await Promise.all([
    ...gone.map((found) => limit(() => planWorkload(connection, found))),
    ...empty.map((found) => limit(() => planEnvironment(connection, found, pruned))),
  ]);
}

const DRY_RUN = { validateOnly: true, allowMissing: true } as const;

async function planWorkload(
  connection: Connection,
  { name, uid }: Pick<Workload, "name" | "uid">,
): Promise<Surplus> {
  const { plan } = await connection.client(WorkloadService).deleteWorkload({ name, ...DRY_RUN });
  return { kind: "workload", name, uid, planHash: plan?.planHash ?? "" };
}

/** @param pruned the workloads that are deleted first */
async function planEnvironment(
  connection: Connection,
  { name, uid }: Pick<Environment, "name" | "uid">,
  pruned: ReadonlySet<string>,
): Promise<Surplus> {
  const inside = await readPages({}, async (request) => {
    const client = connection.client(WorkloadService);
    const answer = await client.listWorkloads({ ...request, parent: name });
    return { items: answer.workloads, nextPageToken: answer.nextPageToken };
  });
  const force = inside.items.length > 0 &&
    inside.items.every((workload) => pruned.has(workload.name));
  const { plan } = await connection.client(EnvironmentService)
    .deleteEnvironment({ name, force, ...DRY_RUN });
  return { kind: "environment", name, uid, planHash: plan?.planHash ?? "" };
}

/**
 * Deletes a resource unless it has changed hands since it was found: it must be the same one, and
 * the selector must still select it. The API rejects an environment with workloads that are not
 * pruned.
 * @param planHash the server rejects the deletion unless its plan still has this hash; empty for any
 * @throws {CliError} conflict
 */
export async function prune(
  connection: Connection,
  { kind, name, uid }: Pick<Surplus, "kind" | "name" | "uid">,
  { selector, planHash }: { readonly selector: string; readonly planHash: string },
): Promise<Operation> {
  const request = { name, requestId: crypto.randomUUID(), allowMissing: true, planHash };
  const environments = connection.client(EnvironmentService);
  const workloads = connection.client(WorkloadService);
  const live = await unlessNotFound<Environment | Workload>(() =>
    kind === "workload" ? workloads.getWorkload({ name }) : environments.getEnvironment({ name })
  );
  if (live && (live.uid !== uid || !selects(parseSelector(selector), live.labels))) {
    throw new CliError(`Cannot prune '${name}': it has changed since it was found`, {
      exitCode: EXIT.CONFLICT,
      hint: "Run the command again",
    });
  }
  // The version that was just read, so that a label that was added since protects it. A plan's hash
  // stands for the version too, and for a request without an etag.
  const etag = planHash === "" ? live?.etag ?? "" : "";
  return kind === "workload"
    ? await workloads.deleteWorkload({ ...request, etag })
    : await environments.deleteEnvironment({ ...request, etag });
}

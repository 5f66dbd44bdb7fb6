import type { Connection } from "@mpc/client";
import { EnvironmentService, type Operation, WorkloadService } from "@mpc/proto";
import { usageError } from "../errors/cli_error.ts";
import { readPages } from "../flags/list_flags.ts";
import { parseSelector, selects } from "../flags/selector.ts";
import type { Manifest } from "./manifest.ts";

/** A resource that the selector matches and no file contains. */
export interface Surplus {
  readonly kind: "environment" | "workload";
  readonly name: string;
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
  const gone = workloads.items.filter(({ name }) => !wanted.has(name)).map(({ name }) => name);
  const empty = environments.items.filter(({ name }) => !wanted.has(name)).map(({ name }) => name);
  return [
    ...await Promise.all(gone.map((name) => planWorkload(connection, name))),
    ...await Promise.all(empty.map((name) => planEnvironment(connection, name, new Set(gone)))),
  ];
}

const DRY_RUN = { validateOnly: true, allowMissing: true } as const;

async function planWorkload(connection: Connection, name: string): Promise<Surplus> {
  const { plan } = await connection.client(WorkloadService).deleteWorkload({ name, ...DRY_RUN });
  return { kind: "workload", name, planHash: plan?.planHash ?? "" };
}

/** @param pruned the workloads that are deleted first */
async function planEnvironment(
  connection: Connection,
  name: string,
  pruned: ReadonlySet<string>,
): Promise<Surplus> {
  const inside = await readPages({}, async (request) => {
    const client = connection.client(WorkloadService);
    const answer = await client.listWorkloads({ ...request, parent: name });
    return { items: answer.workloads, nextPageToken: answer.nextPageToken };
  });
  const force = inside.items.every((workload) => pruned.has(workload.name));
  const { plan } = await connection.client(EnvironmentService)
    .deleteEnvironment({ name, force, ...DRY_RUN });
  return { kind: "environment", name, planHash: plan?.planHash ?? "" };
}

/** Deletes a resource. The API rejects an environment with workloads that are not pruned. */
export async function prune(
  connection: Connection,
  { kind, name }: Pick<Surplus, "kind" | "name">,
): Promise<Operation> {
  const request = { name, requestId: crypto.randomUUID(), allowMissing: true };
  return kind === "workload"
    ? await connection.client(WorkloadService).deleteWorkload(request)
    : await connection.client(EnvironmentService).deleteEnvironment(request);
}

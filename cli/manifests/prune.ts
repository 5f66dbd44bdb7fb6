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
}

/**
 * Finds the resources to prune: workloads first, then environments.
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
  return [
    ...workloads.items.map(({ name }) => ({ kind: "workload" as const, name })),
    ...environments.items.map(({ name }) => ({ kind: "environment" as const, name })),
  ].filter(({ name }) => !wanted.has(name));
}

/** Deletes a resource. The API rejects an environment with workloads that are not pruned. */
export async function prune(
  connection: Connection,
  { kind, name }: Surplus,
): Promise<Operation> {
  const request = { name, requestId: crypto.randomUUID(), allowMissing: true };
  return kind === "workload"
    ? await connection.client(WorkloadService).deleteWorkload(request)
    : await connection.client(EnvironmentService).deleteEnvironment(request);
}

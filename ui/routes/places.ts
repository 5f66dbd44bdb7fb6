import { EnvironmentService, OperationService, OperationState, WorkloadService } from "@mpc/proto";
import type { Connection } from "@mpc/client";
import { idOf, pathOf, quoted, shortName } from "../names.ts";
import { load } from "../section.ts";

/** Somewhere to go, as the palette lists it. */
export interface Place {
  readonly title: string;
  readonly hint: string;
  readonly href: string;
}

/** How many of each kind are listed. */
const LISTED = 8;

/** Environments, workloads and operations whose names have the text in them. */
export async function placesOf(
  api: Connection,
  text: string,
  signal: AbortSignal,
): Promise<readonly Place[]> {
  // `dev/web` is a workload's name without its collections.
  const parts = text.split(/[\s/]+/).filter((part) => part !== "");
  const filter = parts.map((part) => `name:${quoted(part)}`).join(" AND ");
  const readMask = { paths: ["name"] };
  const page = { pageSize: LISTED, filter, readMask };
  const [environments, workloads, operations] = await Promise.all([
    load(api.client(EnvironmentService).listEnvironments(page, { signal })),
    load(
      api.client(WorkloadService).listWorkloads({ parent: "environments/-", ...page }, { signal }),
    ),
    load(
      api.client(OperationService).listOperations({
        pageSize: LISTED,
        filter: parts.map((part) => `(name:${quoted(part)} OR target:${quoted(part)})`).join(
          " AND ",
        ),
        readMask: { paths: ["name", "kind", "target", "state"] },
      }, { signal }),
    ),
  ]);
  const named = (hint: string) => ({ name }: { readonly name: string }) => ({
    title: shortName(name),
    hint,
    href: pathOf(name),
  });
  return [
    ...(environments.ok ? environments.value.environments.map(named("environment")) : []),
    ...(workloads.ok ? workloads.value.workloads.map(named("workload")) : []),
    ...(operations.ok ? operations.value.operations : []).map(({ name, kind, target, state }) => ({
      title: `${kind} ${shortName(target)} ${idOf(name).slice(0, 8)}`,
      hint: OperationState[state]!.toLowerCase().replaceAll("_", " "),
      href: pathOf(name),
    })),
  ];
}

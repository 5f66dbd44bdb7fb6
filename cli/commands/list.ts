/** Lists, read as JSON: without the message classes, mpctl starts in half the time. */
import { callJson } from "@mpc/client/call_json";
import type {
  ListClusterEventsResponseJson,
  ListEnvironmentsResponseJson,
  ListOperationsResponseJson,
  ListPodsResponseJson,
  ListTokensResponseJson,
  ListWorkloadsResponseJson,
} from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import { type ListFlags, readPages, reportMore } from "../flags/list_flags.ts";
import { environmentName, idOf, workloadName } from "../names.ts";
import {
  CLUSTER_EVENT_COLUMNS,
  type Column,
  ENVIRONMENT_COLUMNS,
  OPERATION_COLUMNS,
  POD_COLUMNS,
  readMaskOf,
  TOKEN_COLUMNS,
  WORKLOAD_COLUMNS,
  WORKLOAD_OF_COLUMNS,
} from "../output/columns.ts";
import { printJsonList } from "../output/print_json.ts";

const DEFAULT_OPERATIONS = 20;

/** `mpctl env list` */
export const listEnvironments = (context: CommandContext, flags: ListFlags): Promise<number> =>
  list(context, flags, ENVIRONMENT_COLUMNS, "No environments", async (page) => {
    const { environments = [], nextPageToken = "" } = await callJson<ListEnvironmentsResponseJson>(
      context.config,
      "mpc.v1.EnvironmentService/ListEnvironments",
      page,
    );
    return { items: environments, nextPageToken };
  });

/** `mpctl workload list` */
export const listWorkloads = (
  context: CommandContext,
  flags: ListFlags & { readonly allEnvs?: true | undefined },
): Promise<number> =>
  list(context, flags, WORKLOAD_COLUMNS, "No workloads", async (page) => {
    const parent = environmentName(flags.allEnvs ? "-" : context.config.environment || "-");
    const { workloads = [], nextPageToken = "" } = await callJson<ListWorkloadsResponseJson>(
      context.config,
      "mpc.v1.WorkloadService/ListWorkloads",
      { ...page, parent },
    );
    return { items: workloads, nextPageToken };
  });

/** `mpctl op list` */
export const listOperations = (context: CommandContext, flags: ListFlags): Promise<number> => {
  const limited = { ...flags, limit: flags.limit ?? DEFAULT_OPERATIONS };
  return list(context, limited, OPERATION_COLUMNS, "No operations", async (page) => {
    const { operations = [], nextPageToken = "" } = await callJson<ListOperationsResponseJson>(
      context.config,
      "mpc.v1.OperationService/ListOperations",
      page,
    );
    return { items: operations, nextPageToken };
  });
};

/** `mpctl token list`, which has no read mask. */
export const listTokens = (context: CommandContext, flags: ListFlags): Promise<number> =>
  listWhole(context, flags, TOKEN_COLUMNS, "No tokens", async (page) => {
    const { tokens = [], nextPageToken = "" } = await callJson<ListTokensResponseJson>(
      context.config,
      "mpc.v1.TokenService/ListTokens",
      page,
    );
    return { items: tokens, nextPageToken };
  });

/** Lists what the format shows. */
function list<T extends object>(
  context: CommandContext,
  flags: ListFlags,
  columns: readonly Column<T>[],
  nothing: string,
  readPage: Parameters<typeof readPages<T>>[1],
): Promise<number> {
  const readMask = readMaskOf(context.config.output, columns);
  return listWhole(
    context,
    flags,
    columns,
    nothing,
    (page) => readPage({ ...page, ...(readMask && { readMask }) }),
  );
}

/** Lists by a method without a read mask. */
export async function listWhole<T extends object>(
  context: CommandContext,
  flags: ListFlags,
  columns: readonly Column<T>[],
  nothing: string,
  readPage: Parameters<typeof readPages<T>>[1],
): Promise<number> {
  const listed = await readPages(flags, readPage);
  await printJsonList(context, columns, listed.items, nothing);
  reportMore(context, listed);
  return EXIT.OK;
}

export interface ClusterListFlags {
  readonly allEnvs?: true | undefined;
}

/** `mpctl workload pods` */
export const listPods = (
  context: CommandContext,
  workload: string | undefined,
  flags: ClusterListFlags,
): Promise<number> =>
  listOnClusters(context, workload, flags, POD_COLUMNS, "No pods", async (page) => {
    const { pods = [], ...rest } = await callJson<ListPodsResponseJson>(
      context.config,
      "mpc.v1.WorkloadService/ListPods",
      page,
    );
    return { items: pods, ...rest };
  });

/** `mpctl workload events` */
export const listClusterEvents = (
  context: CommandContext,
  workload: string | undefined,
  flags: ClusterListFlags,
): Promise<number> =>
  listOnClusters(context, workload, flags, CLUSTER_EVENT_COLUMNS, "No events", async (page) => {
    const { events = [], ...rest } = await callJson<ListClusterEventsResponseJson>(
      context.config,
      "mpc.v1.WorkloadService/ListClusterEvents",
      page,
    );
    return { items: events, ...rest };
  });

interface ClusterPage<T> {
  readonly items: readonly T[];
  readonly nextPageToken?: string;
  readonly unreachable?: readonly string[];
}

/** Prints all pages of what clusters have; fails where a cluster did not answer. */
async function listOnClusters<T extends { workload?: string }>(
  context: CommandContext,
  workload: string | undefined,
  { allEnvs }: ClusterListFlags,
  columns: readonly Column<T>[],
  nothing: string,
  readPage: (request: object) => Promise<ClusterPage<T>>,
): Promise<number> {
  const { config, terminal } = context;
  const environment = allEnvs ? "-" : config.environment || (workload ? "" : "-");
  const parent = workloadName(workload ?? "-", { environment });
  const shown = parent.includes("/-") ? [...WORKLOAD_OF_COLUMNS, ...columns] : columns;
  const items: T[] = [];
  const unreachable = new Set<string>();
  const readMask = readMaskOf(config.output, shown);
  let pageToken = "";
  do {
    const page = await readPage({
      parent,
      pageSize: 500,
      pageToken,
      ...(readMask && { readMask }),
    });
    items.push(...page.items);
    for (const name of page.unreachable ?? []) unreachable.add(name);
    pageToken = page.nextPageToken ?? "";
  } while (pageToken !== "");
  await printJsonList(context, shown, items, nothing);
  if (unreachable.size === 0) return EXIT.OK;
  const names = [...unreachable].map(idOf).join(", ");
  terminal.err(`The list has gaps: the clusters of these environments did not answer: ${names}\n`);
  return EXIT.ERROR;
}

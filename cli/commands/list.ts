/** Lists, read as JSON: without the message classes, mpctl starts in half the time. */
import { callJson } from "@mpc/client/call_json";
import type {
  ListClusterEventsResponseJson,
  ListEnvironmentsResponseJson,
  ListOperationsResponseJson,
  ListPodsResponseJson,
  ListWorkloadsResponseJson,
} from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import { type ListFlags, readPages, reportMore } from "../flags/list_flags.ts";
import { environmentName, workloadName } from "../names.ts";
import {
  CLUSTER_EVENT_COLUMNS,
  type Column,
  ENVIRONMENT_COLUMNS,
  OPERATION_COLUMNS,
  POD_COLUMNS,
  WORKLOAD_COLUMNS,
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

async function list<T extends object>(
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

/** `mpctl workload pods` */
export async function listPods(context: CommandContext, workload: string): Promise<number> {
  const parent = workloadName(workload, context.config);
  const method = "mpc.v1.WorkloadService/ListPods";
  const { pods = [] } = await callJson<ListPodsResponseJson>(context.config, method, { parent });
  await printJsonList(context, POD_COLUMNS, pods, "No pods");
  return EXIT.OK;
}

/** `mpctl workload events` */
export async function listClusterEvents(
  context: CommandContext,
  workload: string,
): Promise<number> {
  const parent = workloadName(workload, context.config);
  const { events = [] } = await callJson<ListClusterEventsResponseJson>(
    context.config,
    "mpc.v1.WorkloadService/ListClusterEvents",
    { parent },
  );
  await printJsonList(context, CLUSTER_EVENT_COLUMNS, events, "No events");
  return EXIT.OK;
}

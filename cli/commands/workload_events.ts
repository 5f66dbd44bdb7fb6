import type { ListClusterEventsResponseJson } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { callJson } from "../json_client.ts";
import { workloadName } from "../names.ts";
import { CLUSTER_EVENT_COLUMNS } from "../output/columns.ts";
import { printJsonList } from "../output/print_json.ts";

const METHOD = "mpc.v1.WorkloadService/ListClusterEvents";

/** `mpctl workload events` */
export async function run(context: CommandContext, workload: string): Promise<number> {
  const parent = workloadName(workload, context.config);
  const { events = [] } = await callJson<ListClusterEventsResponseJson>(context, METHOD, {
    parent,
  });
  await printJsonList(context, CLUSTER_EVENT_COLUMNS, events, "No events");
  return EXIT.OK;
}

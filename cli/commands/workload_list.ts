import type { ListWorkloadsResponseJson } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { callJson } from "../json_client.ts";
import { environmentName } from "../names.ts";
import { WORKLOAD_COLUMNS } from "../output/columns.ts";
import { printJsonList } from "../output/print_json.ts";
import { collect, type ListFlags, tellMore } from "./list_flags.ts";

const METHOD = "mpc.v1.WorkloadService/ListWorkloads";

/** `mpctl workload list` */
export async function run(
  context: CommandContext,
  flags: ListFlags & { readonly allEnvs?: true | undefined },
): Promise<number> {
  const parent = environmentName(flags.allEnvs ? "-" : context.config.environment || "-");
  const listed = await collect(flags, async (request) => {
    const { workloads = [], nextPageToken = "" } = await callJson<ListWorkloadsResponseJson>(
      context,
      METHOD,
      { ...request, parent },
    );
    return { items: workloads, nextPageToken };
  });
  await printJsonList(context, WORKLOAD_COLUMNS, listed.items, "No workloads");
  tellMore(context, listed);
  return EXIT.OK;
}

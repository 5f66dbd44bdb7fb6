import type { ListEnvironmentsResponseJson } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { callJson } from "../json_client.ts";
import { ENVIRONMENT_COLUMNS } from "../output/columns.ts";
import { printJsonList } from "../output/print_json.ts";
import { collect, type ListFlags, tellMore } from "./list_flags.ts";

const METHOD = "mpc.v1.EnvironmentService/ListEnvironments";

/** `mpctl env list` */
export async function run(context: CommandContext, flags: ListFlags): Promise<number> {
  const listed = await collect(flags, async (request) => {
    const { environments = [], nextPageToken = "" } = await callJson<ListEnvironmentsResponseJson>(
      context,
      METHOD,
      request,
    );
    return { items: environments, nextPageToken };
  });
  await printJsonList(context, ENVIRONMENT_COLUMNS, listed.items, "No environments");
  tellMore(context, listed);
  return EXIT.OK;
}

import type { ListOperationsResponseJson } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { callJson } from "../json_client.ts";
import { OPERATION_COLUMNS } from "../output/columns.ts";
import { printJsonList } from "../output/print_json.ts";
import { collect, type ListFlags, tellMore } from "./list_flags.ts";

const DEFAULT_LIMIT = 20;
const METHOD = "mpc.v1.OperationService/ListOperations";

/** `mpctl op list` */
export async function run(context: CommandContext, flags: ListFlags): Promise<number> {
  const limited = { ...flags, limit: flags.limit ?? DEFAULT_LIMIT };
  const listed = await collect(limited, async (request) => {
    const { operations = [], nextPageToken = "" } = await callJson<ListOperationsResponseJson>(
      context,
      METHOD,
      request,
    );
    return { items: operations, nextPageToken };
  });
  await printJsonList(context, OPERATION_COLUMNS, listed.items, "No operations");
  tellMore(context, listed);
  return EXIT.OK;
}

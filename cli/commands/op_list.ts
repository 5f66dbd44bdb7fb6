import { OperationService } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { printList } from "../output/print.ts";
import { OPERATION_VIEW } from "../output/views.ts";
import { collect, type ListFlags, tellMore } from "./list_flags.ts";

const DEFAULT_LIMIT = 20;

/** `mpctl op list` */
export async function run(context: CommandContext, flags: ListFlags): Promise<number> {
  const limited = { ...flags, limit: flags.limit ?? DEFAULT_LIMIT };
  const listed = await withClient(
    context,
    OperationService,
    (client) =>
      collect(limited, async (request) => {
        const { operations, nextPageToken } = await client.listOperations(request);
        return { items: operations, nextPageToken };
      }),
  );
  await printList(context, OPERATION_VIEW, listed.items, "No operations");
  tellMore(context, listed);
  return EXIT.OK;
}

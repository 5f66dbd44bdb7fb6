import { EnvironmentService } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { printList } from "../output/print.ts";
import { ENVIRONMENT_VIEW } from "../output/views.ts";
import { collect, type ListFlags, tellMore } from "./list_flags.ts";

/** `mpctl env list` */
export async function run(context: CommandContext, flags: ListFlags): Promise<number> {
  const listed = await withClient(
    context,
    EnvironmentService,
    (client) =>
      collect(flags, async (request) => {
        const { environments, nextPageToken } = await client.listEnvironments(request);
        return { items: environments, nextPageToken };
      }),
  );
  await printList(context, ENVIRONMENT_VIEW, listed.items, "No environments");
  tellMore(context, listed);
  return EXIT.OK;
}

import { WorkloadService } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { environmentName } from "../names.ts";
import { printList } from "../output/print.ts";
import { WORKLOAD_VIEW } from "../output/views.ts";
import { collect, type ListFlags, tellMore } from "./list_flags.ts";

/** `mpctl workload list` */
export async function run(
  context: CommandContext,
  flags: ListFlags & { readonly allEnvs?: true | undefined },
): Promise<number> {
  const parent = environmentName(flags.allEnvs ? "-" : context.config.environment || "-");
  const listed = await withClient(
    context,
    WorkloadService,
    (client) =>
      collect(flags, async (request) => {
        const { workloads, nextPageToken } = await client.listWorkloads({ ...request, parent });
        return { items: workloads, nextPageToken };
      }),
  );
  await printList(context, WORKLOAD_VIEW, listed.items, "No workloads");
  tellMore(context, listed);
  return EXIT.OK;
}

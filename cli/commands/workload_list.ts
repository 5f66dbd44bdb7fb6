import { WorkloadService } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { environmentName } from "../names.ts";
import { printList } from "../output/print.ts";
import { WORKLOAD_VIEW } from "../output/views.ts";
import { collect, type ListFlags } from "./list_flags.ts";

/** `mpctl workload list` */
export async function run(
  context: CommandContext,
  flags: ListFlags & { readonly env?: string | undefined },
): Promise<number> {
  const parent = environmentName(flags.env ?? "-");
  const items = await withClient(
    context,
    WorkloadService,
    (client) =>
      collect(flags, async (request) => {
        const { workloads, nextPageToken } = await client.listWorkloads({ ...request, parent });
        return { items: workloads, nextPageToken };
      }),
  );
  await printList(context, WORKLOAD_VIEW, items, "No workloads");
  return EXIT.OK;
}

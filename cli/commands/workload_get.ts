import { WorkloadService } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { workloadName } from "../names.ts";
import { printOne } from "../output/print.ts";
import { WORKLOAD_VIEW } from "../output/views.ts";

/** `mpctl workload get` */
export async function run(
  context: CommandContext,
  workload: string,
  flags: { readonly watch?: true | undefined },
): Promise<number> {
  const name = workloadName(workload, context.config);
  if (flags.watch) {
    const { watchResource } = await import("../watch_resource.ts");
    return await watchResource(context, name, WORKLOAD_VIEW);
  }
  const found = await withClient(
    context,
    WorkloadService,
    (client) => client.getWorkload({ name }),
  );
  await printOne(context, WORKLOAD_VIEW, found);
  return EXIT.OK;
}

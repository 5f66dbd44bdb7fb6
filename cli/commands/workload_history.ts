import { type Revision, WorkloadService } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { workloadName } from "../names.ts";
import { printList } from "../output/print.ts";
import { REVISION_VIEW } from "../output/views.ts";

/** `mpctl workload history` */
export async function run(
  context: CommandContext,
  workload: string,
): Promise<number> {
  const revisions = await readRevisions(context, workloadName(workload, context.config));
  await printList(context, REVISION_VIEW, revisions, "No revisions");
  return EXIT.OK;
}

/** All revisions of a workload, the newest first. */
export function readRevisions(
  context: CommandContext,
  parent: string,
): Promise<readonly Revision[]> {
  return withClient(context, WorkloadService, async (client) => {
    const all: Revision[] = [];
    let pageToken = "";
    do {
      const page = await client.listRevisions({ parent, pageSize: 500, pageToken });
      all.push(...page.revisions);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return all;
  });
}

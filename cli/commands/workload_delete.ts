import { WorkloadService } from "@mpc/proto";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { finishMutation } from "../finish_mutation.ts";
import { workloadName } from "../names.ts";
import { deleteFields, type DeleteFlags } from "./env_delete.ts";

/** `mpctl workload delete` */
export async function run(
  context: CommandContext,
  workload: string,
  flags: DeleteFlags & { readonly env?: string | undefined },
): Promise<number> {
  const name = workloadName(workload, context.config);
  const connection = await connect(context);
  try {
    const client = connection.client(WorkloadService);
    const operation = await client.deleteWorkload({ name, ...deleteFields(flags) });
    return await finishMutation(context, connection, operation, flags);
  } finally {
    connection.close();
  }
}

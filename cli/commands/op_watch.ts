import { OperationService } from "@mpc/proto";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { followOperation } from "../follow_operation.ts";
import { isForPeople } from "../output/format.ts";
import { createProgress, machineProgress } from "../output/progress.ts";
import { operationName } from "./op_name.ts";

/** `mpctl op watch` */
export async function run(
  context: CommandContext,
  typed: string,
  flags: { readonly timeout?: number | undefined },
): Promise<number> {
  const connection = await connect(context);
  try {
    const client = connection.client(OperationService);
    const operation = await client.getOperation({ name: await operationName(client, typed) });
    const progress = isForPeople(context.config.output)
      ? createProgress(context)
      : machineProgress(context);
    return await followOperation(context, connection, operation, flags.timeout, progress);
  } finally {
    connection.close();
  }
}

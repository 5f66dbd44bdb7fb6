import { OperationService } from "@mpc/proto";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { followOperation } from "../follow_operation.ts";
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
    return await followOperation(context, connection, operation, flags.timeout);
  } finally {
    connection.close();
  }
}

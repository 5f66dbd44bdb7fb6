import { OperationService } from "@mpc/proto";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { followOperation } from "../follow_operation.ts";
import { idOf } from "../names.ts";
import { operationName } from "./op_name.ts";

/** `mpctl op retry` */
export async function run(
  context: CommandContext,
  typed: string,
  flags: { readonly wait?: boolean; readonly timeout?: number | undefined },
): Promise<number> {
  const connection = await connect(context);
  try {
    const client = connection.client(OperationService);
    const name = await operationName(client, typed);
    const operation = await client.retryOperation({ name, requestId: crypto.randomUUID() });
    context.terminal.err(`Retried as ${idOf(operation.name)}\n`);
    if (flags.wait === false) return EXIT.OK;
    return await followOperation(context, connection, operation, flags.timeout);
  } finally {
    connection.close();
  }
}

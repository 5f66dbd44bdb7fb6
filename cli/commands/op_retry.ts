import { OperationService } from "@mpc/proto";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { finishMutation, mutationFields, type MutationFlags } from "../finish_mutation.ts";
import { idOf } from "../names.ts";
import { operationName } from "./op_name.ts";

/** `mpctl op retry` */
export async function run(
  context: CommandContext,
  typed: string,
  flags: MutationFlags,
): Promise<number> {
  const connection = await connect(context);
  try {
    const client = connection.client(OperationService);
    const name = await operationName(client, typed);
    const operation = await client.retryOperation({ name, ...mutationFields(flags) });
    if (!operation.plan) context.terminal.err(`Retried as ${idOf(operation.name)}\n`);
    return await finishMutation(context, connection, operation, flags);
  } finally {
    connection.close();
  }
}

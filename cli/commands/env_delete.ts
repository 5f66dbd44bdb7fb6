import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { EnvironmentService } from "@mpc/proto";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { finishMutation, mutationFields, type MutationFlags } from "../finish_mutation.ts";
import { environmentName } from "../names.ts";

export interface DeleteFlags extends MutationFlags {
  readonly force?: true | undefined;
  readonly abandon?: true | undefined;
  readonly ignoreNotFound?: true | undefined;
  readonly deadline?: number | undefined;
}

/** `mpctl env delete` */
export async function run(
  context: CommandContext,
  environment: string,
  flags: DeleteFlags,
): Promise<number> {
  const connection = await connect(context);
  try {
    const operation = await connection.client(EnvironmentService).deleteEnvironment({
      name: environmentName(environment),
      ...deleteFields(flags),
      force: flags.force ?? false,
    });
    return await finishMutation(context, connection, operation, flags);
  } finally {
    connection.close();
  }
}

/** The request fields that every deletion has. */
export function deleteFields(flags: DeleteFlags) {
  return {
    ...mutationFields(flags),
    abandon: flags.abandon ?? false,
    allowMissing: flags.ignoreNotFound ?? false,
    ...(flags.deadline !== undefined && { timeout: durationFromMs(flags.deadline) }),
  };
}

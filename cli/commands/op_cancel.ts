import { OperationService } from "@mpc/proto";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { followOperation } from "../follow_operation.ts";
import { operationName } from "./op_name.ts";

export interface OpCancelFlags {
  readonly reason?: string | undefined;
  readonly dryRun?: true | undefined;
  readonly wait?: boolean;
  readonly timeout?: number | undefined;
}

/** `mpctl op cancel` */
export async function run(
  context: CommandContext,
  typed: string,
  flags: OpCancelFlags,
): Promise<number> {
  const { terminal } = context;
  const connection = await connect(context);
  try {
    const client = connection.client(OperationService);
    const answer = await client.cancelOperation({
      name: await operationName(client, typed),
      reason: flags.reason ?? "",
      validateOnly: flags.dryRun ?? false,
    });
    const list = (steps: readonly string[]) => steps.length > 0 ? steps.join(", ") : "nothing";
    const say = flags.dryRun ? terminal.out : terminal.err;
    say(`undone: ${list(answer.undoneSteps)}\nkept:   ${list(answer.keptSteps)}\n`);
    say(`then:   ${answer.outcome}\n`);
    if (flags.dryRun || flags.wait === false || !answer.operation) return EXIT.OK;
    const ended = await followOperation(context, connection, answer.operation, flags.timeout);
    // That it was cancelled is what was asked for.
    return ended === EXIT.CANCELLED ? EXIT.OK : ended;
  } finally {
    connection.close();
  }
}

import { ExplainOperationResponseSchema, OperationService } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { isForPeople } from "../output/format.ts";
import { printMessage } from "../output/print.ts";
import { operationName } from "./op_name.ts";

/** `mpctl op explain` */
export async function run(context: CommandContext, typed: string): Promise<number> {
  const { terminal, config } = context;
  const answer = await withClient(
    context,
    OperationService,
    async (client) => await client.explainOperation({ name: await operationName(client, typed) }),
  );
  if (!isForPeople(config.output)) {
    await printMessage(context, ExplainOperationResponseSchema, answer);
    return EXIT.OK;
  }
  terminal.out(`${answer.summary}\n`);
  answer.causes.forEach(({ scope, subject, reason, message }, depth) => {
    terminal.out(`${"  ".repeat(depth + 1)}${scope} ${subject}: ${reason}: ${message}\n`);
  });
  terminal.out(`Who must act: ${answer.responsible}\n`);
  if (answer.nextCommand !== "") terminal.out(`Next: ${answer.nextCommand}\n`);
  return EXIT.OK;
}

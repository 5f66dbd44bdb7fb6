import { OperationService } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { isForPeople } from "../output/format.ts";
import { printOne } from "../output/print.ts";
import { plainStep } from "../output/steps.ts";
import { OPERATION_VIEW } from "../output/views.ts";
import { operationName } from "./op_name.ts";

/** `mpctl op get` */
export async function run(context: CommandContext, typed: string): Promise<number> {
  const found = await withClient(
    context,
    OperationService,
    async (client) => await client.getOperation({ name: await operationName(client, typed) }),
  );
  await printOne(context, OPERATION_VIEW, found);
  if (isForPeople(context.config.output)) {
    context.terminal.out("\n");
    for (const step of found.steps) {
      context.terminal.out(`${plainStep(step, Date.now())}\n`);
    }
    if (found.error) {
      context.terminal.out(`\n${found.error.code} ${found.error.reason}: ${found.error.message}\n`);
    }
  }
  return EXIT.OK;
}

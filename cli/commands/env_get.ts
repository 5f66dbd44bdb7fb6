import { EnvironmentService } from "@mpc/proto";
import { withClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { environmentName } from "../names.ts";
import { printOne } from "../output/print.ts";
import { ENVIRONMENT_VIEW } from "../output/views.ts";

/** `mpctl env get` */
export async function run(
  context: CommandContext,
  environment: string,
  flags: { readonly watch?: true | undefined },
): Promise<number> {
  const name = environmentName(environment);
  if (flags.watch) {
    const { watchResource } = await import("../watch_resource.ts");
    return await watchResource(context, name, ENVIRONMENT_VIEW);
  }
  const found = await withClient(
    context,
    EnvironmentService,
    (client) => client.getEnvironment({ name }),
  );
  await printOne(context, ENVIRONMENT_VIEW, found);
  return EXIT.OK;
}

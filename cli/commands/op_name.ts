import type { Client } from "@connectrpc/connect";
import type { OperationService } from "@mpc/proto";
import { CliError, usageError } from "../cli_error.ts";
import { EXIT } from "../exit_codes.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The name of an operation by its id, or by the beginning or end of it, at least four characters.
 * @throws {CliError} usage or not found
 */
export async function operationName(
  client: Client<typeof OperationService>,
  typed: string,
): Promise<string> {
  const id = typed.replace(/^operations\//, "");
  if (UUID.test(id)) return `operations/${id}`;
  if (!/^[0-9a-f-]{4,36}$/.test(id)) {
    throw usageError(`Cannot find operation '${typed}': must be an id, or four characters of it`);
  }
  const filter = `name = "operations/${id}*" OR name = "*${id}"`;
  const { operations } = await client.listOperations({ filter, pageSize: 2 });
  const [found, other] = operations;
  if (found && !other) return found.name;
  // One that is there is not "not found": scripts would take it for gone.
  throw new CliError(
    `Cannot find operation '${typed}': ${found ? "more than one has" : "none has"} such an id`,
    {
      exitCode: found ? EXIT.USAGE : EXIT.NOT_FOUND,
      hint: found ? "Type more of it; see 'mpctl op list'" : "See 'mpctl op list'",
    },
  );
}

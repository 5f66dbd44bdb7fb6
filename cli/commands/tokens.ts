import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { CreateTokenResponseSchema, TokenSchema, TokenService } from "@mpc/proto";
import { type CommandContext, withClient } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import { isForPeople } from "../output/format.ts";
import { printMessage } from "../output/print.ts";
import { until } from "../output/time.ts";

export interface CreateTokenFlags {
  readonly ttl?: number | undefined;
  readonly group?: readonly string[] | undefined;
  readonly description?: string | undefined;
}

/** `mpctl token create`: prints the secret alone to standard output, for a file or a secret store. */
export async function createToken(
  context: CommandContext,
  tokenId: string,
  { ttl, group = [], description = "" }: CreateTokenFlags,
): Promise<number> {
  const { config, terminal } = context;
  const answer = await withClient(context, TokenService, (client) =>
    client.createToken({
      tokenId,
      token: create(TokenSchema, {
        groups: [...group],
        displayName: description,
        ...(ttl !== undefined && { ttl: durationFromMs(ttl) }),
      }),
    }));
  if (!isForPeople(config.output)) {
    await printMessage(context, CreateTokenResponseSchema, answer);
    return EXIT.OK;
  }
  terminal.out(`${answer.secret}\n`);
  const { principal = "", expireTime } = answer.token ?? {};
  terminal.err(
    `Token '${tokenId}' is created for ${principal}, and expires in ${until(expireTime)}; ` +
      "its secret is not shown again\n",
  );
  return EXIT.OK;
}

/** `mpctl token revoke` */
export async function revokeToken(
  context: CommandContext,
  typed: string,
  flags: { readonly ignoreNotFound?: true | undefined },
): Promise<number> {
  const allowMissing = flags.ignoreNotFound ?? false;
  const name = typed.startsWith("tokens/") ? typed : `tokens/${typed}`;
  await withClient(context, TokenService, (client) => client.revokeToken({ name, allowMissing }));
  context.terminal.err(`Token '${typed.replace(/^tokens\//, "")}' is revoked\n`);
  return EXIT.OK;
}

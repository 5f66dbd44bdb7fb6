import { listTokens } from "../commands/list.ts";
import { createToken, revokeToken } from "../commands/tokens.ts";
import { duration, texts } from "../flags/parse_flag.ts";
import { command, listCommand, noun, type Runner, runWith } from "./command.ts";

/** `mpctl token …` */
export function tokenCommands(runner: Runner) {
  const create = command("create", "Create a token; its secret is printed once", [
    "mpctl token create ci --ttl 30d",
    "mpctl token create ci --group deployers --description 'CI of team a' > token.txt",
  ])
    .argument("<name>", "a name of at most 40 lower case letters, digits and '-'")
    .option("--ttl <duration>", "how long it is valid; default: 90d", duration)
    .option("--group <name>", "repeatable; roles may be bound to groups", texts)
    .option("--description <text>", "what it is for")
    .action((name, flags) =>
      runWith(runner, flags, (context) => createToken(context, name, flags))
    );
  const list = listCommand("list", "List tokens, without their secrets", [
    "mpctl token list",
    "mpctl token list --sort-by expire_time -o wide",
  ])
    .alias("ls")
    .action((flags) => runWith(runner, flags, (context) => listTokens(context, flags)));
  const revoke = command("revoke", "Revoke a token: nobody can use it any more", [
    "mpctl token revoke ci",
    "mpctl token revoke ci --ignore-not-found",
  ])
    .argument("<token>")
    .option("--ignore-not-found", "succeed if there is no such token")
    .action((name, flags) =>
      runWith(runner, flags, (context) => revokeToken(context, name, flags))
    );
  return noun("token", "", "Tokens: for programs that cannot sign in")
    .addCommand(create)
    .addCommand(list)
    .addCommand(revoke);
}

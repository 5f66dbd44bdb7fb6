import { Option } from "@commander-js/extra-typings";
import { login } from "../commands/login.ts";
import { logout } from "../commands/logout.ts";
import { whoAmI } from "../commands/whoami.ts";
import { nonEmpty } from "../flags/parse_flag.ts";
import { command, type Runner, runWith } from "./command.ts";

/** `mpctl login` */
export function loginCommand(runner: Runner) {
  const token = new Option("--with-token", "read a token from standard input, and keep it")
    .conflicts(["tokenFile", "tokenCommand", "issuer"]);
  const file = new Option("--token-file <path>", "read the token from this file at each run")
    .argParser(nonEmpty).conflicts(["tokenCommand", "issuer"]);
  const shell = new Option(
    "--token-command <command>",
    "a command that prints a token, or what a credential plugin of kubectl prints",
  ).argParser(nonEmpty).conflicts(["issuer"]);
  return command("login", "Sign in at a server: in a browser, or with a token", [
    "mpctl login --server https://mpc.example.com",
    "mpctl login --profile staging --issuer company",
    "mpctl login --with-token < token.txt",
    "mpctl login --token-command 'vault read -field=token secret/mpc'",
  ])
    .option("--issuer <name>", "name or URL of the issuer, if the server has several", nonEmpty)
    .addOption(token)
    .addOption(file)
    .addOption(shell)
    .action((flags) => runWith(runner, flags, (context) => login(context, flags)));
}

/** `mpctl logout` */
export const logoutCommand = (runner: Runner) =>
  command("logout", "Forget a sign-in, and revoke it at its issuer", [
    "mpctl logout",
    "mpctl logout --profile staging",
  ]).action((flags) => runWith(runner, flags, logout));

/** `mpctl whoami` */
export const whoamiCommand = (runner: Runner) =>
  command("whoami", "Show who the server takes you for, and your roles", [
    "mpctl whoami",
    "mpctl whoami -o jsonpath=$.principal",
  ]).action((flags) => runWith(runner, flags, whoAmI));

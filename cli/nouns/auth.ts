import { nonEmpty, texts } from "../flags/parse_flag.ts";
import { command, noun, type Runner, runWith } from "./command.ts";

/** Another principal than the caller. */
const AS = [
  "--as <user>",
  "another principal, such as ann@example.com or token:ci; needs access.check",
  nonEmpty,
] as const;
const AS_GROUP = [
  "--as-group <group>",
  "a group of the other principal, repeatable",
  texts,
] as const;

/** `mpctl auth …` */
export function authCommands(runner: Runner) {
  const canI = command("can-i", "Say whether something is allowed; exits with 1 if it is not", [
    "mpctl auth can-i deploy workload --env dev",
    "mpctl auth can-i create env --env team-a-1 --as ann@example.com --as-group team-a",
    "mpctl auth can-i sweep platform",
  ])
    .argument("<verb>", "such as get, create, deploy or cancel")
    .argument("<noun>", "env, workload, op, platform, token, audit or access")
    .option("--env <environment>", "where; default: the profile's, or all environments", nonEmpty)
    .option(...AS)
    .option(...AS_GROUP)
    .action((verb, noun, flags) =>
      runWith(runner, flags, async (context) => {
        const { canI } = await import("../commands/access.ts");
        return await canI(context, verb, noun, flags);
      })
    );
  const list = command("list", "List roles, and where they apply", [
    "mpctl auth list",
    "mpctl auth list -o wide",
    "mpctl auth list --as token:ci",
  ])
    .alias("ls")
    .option(...AS)
    .option(...AS_GROUP)
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { listAccess } = await import("../commands/access.ts");
        return await listAccess(context, flags);
      })
    );
  return noun("auth", "", "Access: what you, or others, may do").addCommand(canI).addCommand(list);
}

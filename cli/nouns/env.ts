import { duration, integer, nonEmpty, pairs, texts } from "../flags/parse_flag.ts";
import {
  ABANDON,
  changeCommand,
  command,
  eitherWay,
  ETAG,
  FORCE_CONFLICTS,
  listCommand,
  noun,
  type Runner,
  runWith,
  SELECTOR,
  WATCH,
  WATCH_TIMEOUT,
} from "./command.ts";

/** `mpctl env …` */
export function envCommands(runner: Runner) {
  return noun("env", "environment", "Environments: places to run workloads")
    .addCommand(create(runner))
    .addCommand(list(runner))
    .addCommand(get(runner))
    .addCommand(update(runner))
    .addCommand(extend(runner))
    .addCommand(keep(runner))
    .addCommand(remove(runner));
}

function create(runner: Runner) {
  return changeCommand("create", "Create an environment", [
    "mpctl env create dev --ttl 8h --label team=web",
    "mpctl env create staging --protect --max-cpu 8 --max-memory 16Gi",
    "mpctl env create preview -f environment.yaml --dry-run",
  ])
    .argument("<environment>", "a name of at most 40 lower case letters, digits and '-'")
    .option("--ttl <duration>", "time to live; the environment is deleted after it", duration)
    .option("--label <key=value>", "repeatable", pairs)
    .option("--annotation <key=value>", "repeatable", pairs)
    .option("--max-workloads <n>", "quota", integer)
    .option("--max-cpu <quantity>", "quota, such as 4 or 500m")
    .option("--max-memory <quantity>", "quota, such as 8Gi")
    .option("--protect", "reject deletion, also by expiry")
    .option("--cluster <name>", "one of the server's clusters; default: 'default'", nonEmpty)
    .option("-f, --file <path>", "fields from a YAML or JSON file, - for standard input")
    .action((environment, flags) =>
      runWith(runner, flags, async (context) => {
        const { createEnvironment } = await import("../commands/change_environment.ts");
        return await createEnvironment(context, environment, flags);
      })
    );
}

function list(runner: Runner) {
  return listCommand("list", "List environments", [
    "mpctl env list",
    "mpctl env list -l team=web -o wide",
    "mpctl env list --filter 'state = READY AND create_time > 2030-01-01T00:00:00Z'",
    "mpctl env list --filter 'labels.\"example.com/team\" = web AND expire_time:*'",
    "mpctl env list --filter 'NOT labels:*' -o name  # without any label",
  ])
    .alias("ls")
    .option(...SELECTOR)
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { listEnvironments } = await import("../commands/list.ts");
        return await listEnvironments(context, flags);
      })
    );
}

function get(runner: Runner) {
  return command("get", "Show one environment", [
    "mpctl env get dev",
    "mpctl env get dev -o yaml",
    "mpctl env get dev --watch  # also prints each change",
  ])
    .argument("<environment>")
    .option(...WATCH)
    .option(...WATCH_TIMEOUT)
    .action((environment, flags) =>
      runWith(runner, flags, async (context) => {
        const { getEnvironment } = await import("../commands/get.ts");
        return await getEnvironment(context, environment, flags);
      })
    );
}

function update(runner: Runner) {
  const update = changeCommand(
    "update",
    "Change labels, annotations, expiry, quota or protection",
    [
      "mpctl env update dev --label team=search --remove-label old",
      "mpctl env update staging --no-protect",
      'mpctl env update dev --max-cpu 8 --etag "$(mpctl env get dev -o jsonpath=$.etag)"',
      "mpctl env update dev --max-cpu 16 --dry-run",
      "mpctl env update dev  # applies it to the cluster again, unchanged",
    ],
  )
    .argument("<environment>")
    .option(...ETAG)
    .option("--ttl <duration>", "time to live from now", duration)
    .option("--label <key=value>", "add or change, repeatable", pairs)
    .option("--remove-label <key>", "repeatable", texts)
    .option("--annotation <key=value>", "add or change, repeatable", pairs)
    .option("--remove-annotation <key>", "repeatable", texts)
    .option("--max-workloads <n>", "quota; 0 for none", integer)
    .option("--max-cpu <quantity>", "quota; '' for none")
    .option("--max-memory <quantity>", "quota; '' for none")
    .option("--protect", "reject deletion, also by expiry")
    .option("--no-protect", "allow deletion")
    .option(...FORCE_CONFLICTS);
  return eitherWay(update, "protect")
    .action((environment, flags) =>
      runWith(runner, flags, async (context) => {
        const { updateEnvironment } = await import("../commands/change_environment.ts");
        return await updateEnvironment(context, environment, flags);
      })
    );
}

function extend(runner: Runner) {
  return changeCommand("extend", "Give an environment more time", [
    "mpctl env extend dev 4h  # four hours more than it has now",
  ])
    .argument("<environment>")
    .argument("<duration>", "added to its remaining time", duration)
    .option(...ETAG)
    .option(...FORCE_CONFLICTS)
    .action((environment, extend, flags) =>
      runWith(runner, flags, async (context) => {
        const { updateEnvironment } = await import("../commands/change_environment.ts");
        return await updateEnvironment(context, environment, { ...flags, extend });
      })
    );
}

function keep(runner: Runner) {
  return changeCommand("keep", "Remove the expiry of an environment", ["mpctl env keep dev"])
    .argument("<environment>")
    .option(...ETAG)
    .option(...FORCE_CONFLICTS)
    .action((environment, flags) =>
      runWith(runner, flags, async (context) => {
        const { updateEnvironment } = await import("../commands/change_environment.ts");
        return await updateEnvironment(context, environment, { ...flags, keep: true });
      })
    );
}

function remove(runner: Runner) {
  return changeCommand("delete", "Delete an environment; stops running operations first", [
    "mpctl env delete dev",
    "mpctl env delete dev --force  # with all its workloads",
    "mpctl env delete dev --abandon  # leaves its objects to the sweep",
  ])
    .alias("rm")
    .argument("<environment>")
    .option(...ETAG)
    .option("--force", "also delete the workloads inside")
    .addOption(ABANDON)
    .option("--ignore-not-found", "succeed if there is no such environment")
    .option("--deadline <duration>", "how long the deletion itself may take", duration)
    .action((environment, flags) =>
      runWith(runner, flags, async (context) => {
        const { deleteEnvironment } = await import("../commands/change_environment.ts");
        return await deleteEnvironment(context, environment, flags);
      })
    );
}

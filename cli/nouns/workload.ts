import { Option } from "@commander-js/extra-typings";
import {
  autoscaling,
  count,
  duration,
  integer,
  pairs,
  ports,
  sources,
  texts,
  volumes,
} from "../flags/parse_flag.ts";
import {
  changeCommand,
  command,
  listCommand,
  noun,
  type Runner,
  runWith,
  SELECTOR,
  WATCH,
} from "./command.ts";

const ENV = ["--env <environment>", "the environment it is in"] as const;

const FORCE_CONFLICTS = [
  "--force-conflicts",
  "take fields over that somebody else manages on the cluster",
] as const;

/** `mpctl workload …` */
export function workloadCommands(runner: Runner) {
  return noun("workload", "wl", "Workloads: programs inside environments")
    .addCommand(deploy(runner))
    .addCommand(list(runner))
    .addCommand(get(runner))
    .addCommand(scale(runner))
    .addCommand(restart(runner))
    .addCommand(rollback(runner))
    .addCommand(reconcile(runner))
    .addCommand(history(runner))
    .addCommand(diff(runner))
    .addCommand(pods(runner))
    .addCommand(events(runner))
    .addCommand(logs(runner))
    .addCommand(remove(runner));
}

function deploy(runner: Runner) {
  return changeCommand(
    "deploy",
    "Create a workload, or change what is given of it; the rest stays as it is",
    [
      "mpctl workload deploy web --env dev --image nginx:1.27 --replicas 2 --port 80",
      "mpctl workload deploy web --env dev --image nginx:1.28  # all else as it is",
      "mpctl workload deploy api --env dev -f workload.yaml --image api:2",
      "mpctl workload deploy web --env dev --image nginx:missing  # to see a failure",
      "mpctl workload deploy web --env dev --image web:1 --port 80 --host web.example.com",
      "mpctl workload deploy db --env dev --image db:16 --volume data=/var/lib/db:10Gi",
      "mpctl workload deploy web --env dev --image web:1 --cpu 250m --autoscale 2-10@70",
      "mpctl workload deploy web --env dev --chart web --chart-version 1.4.2",
    ],
  )
    .argument("<workload>", "a name of at most 40 lower case letters, digits and '-'")
    .option(...ENV)
    .option("--image <reference>", "such as nginx:1.27")
    .option("--replicas <n>", "how many copies; 1 where not given", integer)
    .option("--port <[name=]port[/udp]>", "repeatable", ports)
    .option("--var <key=value>", "environment variable, repeatable; values are kept secret", pairs)
    .option(
      "--var-from <[variable=]source>",
      "variables that lie on the cluster: secret/NAME, config/NAME, VAR=secret/NAME/KEY; repeatable",
      sources,
    )
    .option("--cpu <quantity>", "for each copy, such as 250m")
    .option("--memory <quantity>", "for each copy, such as 256Mi")
    .option("--health-path <path>", "HTTP readiness check")
    .option("--health-port <port>", "its port; the first port where not given", integer)
    .option("--live-path <path>", "HTTP check that restarts a copy which fails it")
    .option("--live-port <port>", "its port; the first port where not given", integer)
    .option("--command <text>", "overrides the image's command, repeatable", texts)
    .option("--arg <text>", "argument of the command, repeatable", texts)
    .option(
      "--volume <name=path:source>",
      "mounts scratch[/SIZE], secret/NAME, config/NAME, or storage of a size such as 10Gi; repeatable",
      volumes,
    )
    .option("--host <name>", "reachable from outside the cluster by this DNS name")
    .option("--host-path <path>", "only what begins with it")
    .option("--host-port <port>", "one of the ports; the first one where not given", integer)
    .option("--tls-secret <name>", "the secret with the host's certificate")
    .option("--ingress-class <name>", "the cluster's default where not given")
    .option(
      "--autoscale <min-max[@percent]>",
      "as many copies as the cpu load asks for",
      autoscaling,
    )
    .option("--max-unavailable <n>", "how many copies maintenance may take away at once", integer)
    .option("--chart <name>", "a Helm chart in place of an image")
    .option("--chart-version <version>", "exact, such as 1.4.2")
    .option("--chart-values <path>", "its values from a YAML or JSON file; they are kept secret")
    .option("--label <key=value>", "repeatable", pairs)
    .option("--progress-deadline <duration>", "how long a rollout may stand still", duration)
    .option("-f, --file <path>", "the whole of it from a YAML or JSON file, - for standard input")
    .option(...FORCE_CONFLICTS)
    .option("--replace", "what is not given goes back to its default, as with a file")
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { deployWorkload } = await import("../commands/change_workload.ts");
        return await deployWorkload(context, workload, flags);
      })
    );
}

function list(runner: Runner) {
  return listCommand("list", "List workloads", [
    "mpctl workload list --env dev",
    "mpctl workload list --filter 'image = \"nginx:*\"'",
  ])
    .alias("ls")
    .option(...SELECTOR)
    .option("--env <environment>", "only those in it")
    .addOption(
      new Option("-A, --all-envs", "those of all environments, whatever the profile says")
        .conflicts("env"),
    )
    .action((flags) =>
      runWith(runner, flags, async (context) => {
        const { listWorkloads } = await import("../commands/list.ts");
        return await listWorkloads(context, flags);
      })
    );
}

function get(runner: Runner) {
  return command("get", "Show one workload", [
    "mpctl workload get web --env dev -o yaml",
    "mpctl workload get web --env dev --watch  # and then each change of it",
  ])
    .argument("<workload>")
    .option(...ENV)
    .option(...WATCH)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { getWorkload } = await import("../commands/get.ts");
        return await getWorkload(context, workload, flags);
      })
    );
}

function scale(runner: Runner) {
  return changeCommand("scale", "Change the number of copies", [
    "mpctl workload scale web --env dev --replicas 5",
  ])
    .argument("<workload>")
    .option(...ENV)
    .requiredOption("--replicas <n>", "how many copies", integer)
    .option(...FORCE_CONFLICTS)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { scaleWorkload } = await import("../commands/change_workload.ts");
        return await scaleWorkload(context, workload, flags);
      })
    );
}

function restart(runner: Runner) {
  return changeCommand("restart", "Replace every copy", ["mpctl workload restart web --env dev"])
    .argument("<workload>")
    .option(...ENV)
    .option(...FORCE_CONFLICTS)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { restartWorkload } = await import("../commands/change_workload.ts");
        return await restartWorkload(context, workload, flags);
      })
    );
}

function rollback(runner: Runner) {
  return changeCommand("rollback", "Deploy an earlier revision again", [
    "mpctl workload rollback web --env dev  # the revision before",
    "mpctl workload rollback web --env dev --to 3",
  ])
    .argument("<workload>")
    .option(...ENV)
    .option("--to <revision>", "its number", count)
    .option(...FORCE_CONFLICTS)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { rollbackWorkload } = await import("../commands/change_workload.ts");
        return await rollbackWorkload(context, workload, flags);
      })
    );
}

function reconcile(runner: Runner) {
  return changeCommand("reconcile", "Put back what others have changed on the cluster", [
    "mpctl workload reconcile web --env dev --dry-run  # shows what has drifted",
    "mpctl workload reconcile web --env dev",
  ])
    .argument("<workload>")
    .option(...ENV)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { reconcileWorkload } = await import("../commands/change_workload.ts");
        return await reconcileWorkload(context, workload, flags);
      })
    );
}

function history(runner: Runner) {
  return command("history", "List the revisions of a workload", [
    "mpctl workload history web --env dev",
  ])
    .argument("<workload>")
    .option(...ENV)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { listRevisions } = await import("../commands/revisions.ts");
        return await listRevisions(context, workload);
      })
    );
}

function diff(runner: Runner) {
  return command("diff", "Compare two revisions; exits with 8 where they differ", [
    "mpctl workload diff web 2 3 --env dev",
  ])
    .argument("<workload>")
    .argument("<a>", "a revision", count)
    .argument("<b>", "another revision", count)
    .option(...ENV)
    .action((workload, a, b, flags) =>
      runWith(runner, flags, async (context) => {
        const { compareRevisions } = await import("../commands/revisions.ts");
        return await compareRevisions(context, workload, [a, b]);
      })
    );
}

function pods(runner: Runner) {
  return command("pods", "List the copies of a workload as they are on the cluster", [
    "mpctl workload pods web --env dev",
  ])
    .argument("<workload>")
    .option(...ENV)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { listPods } = await import("../commands/list.ts");
        return await listPods(context, workload);
      })
    );
}

function events(runner: Runner) {
  return command("events", "List what the cluster noticed about a workload, the latest last", [
    "mpctl workload events web --env dev",
  ])
    .argument("<workload>")
    .option(...ENV)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { listClusterEvents } = await import("../commands/list.ts");
        return await listClusterEvents(context, workload);
      })
    );
}

function logs(runner: Runner) {
  return command("logs", "Show what the copies of a workload print", [
    "mpctl workload logs web --env dev --tail 20",
    "mpctl workload logs web --env dev --follow --since 10m",
  ])
    .argument("<workload>")
    .option(...ENV)
    .option("--follow", "go on with what is printed from now on")
    .option("--tail <n>", "only the last lines of each copy", count)
    .option("--since <duration>", "only what was printed since", duration)
    .option("--replica <name>", "only this copy")
    .option("--timestamps", "with the time of each line")
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { printLogs } = await import("../commands/logs.ts");
        return await printLogs(context, workload, flags);
      })
    );
}

function remove(runner: Runner) {
  return changeCommand("delete", "Delete a workload; stops what runs on it first", [
    "mpctl workload delete web --env dev",
    "mpctl workload delete web --env dev --abandon  # forget it; what is left is swept later",
  ])
    .alias("rm")
    .argument("<workload>")
    .option(...ENV)
    .option("--abandon", "forget the record without waiting for the cluster")
    .option("--ignore-not-found", "succeed where there is no such workload")
    .option("--deadline <duration>", "how long the deletion itself may take", duration)
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { deleteWorkload } = await import("../commands/change_workload.ts");
        return await deleteWorkload(context, workload, flags);
      })
    );
}

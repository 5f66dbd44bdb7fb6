import {
  autoscaling,
  duration,
  integer,
  pairs,
  ports,
  sources,
  texts,
  volumes,
} from "../flags/parse_flag.ts";
import { changeCommand, ENV, ETAG, FORCE_CONFLICTS, type Runner, runWith } from "./command.ts";

/** `mpctl workload deploy` */
export function deployCommand(runner: Runner) {
  return changeCommand(
    "deploy",
    "Create a workload, or change the given fields; other fields stay",
    [
      "mpctl workload deploy web --env dev --image nginxinc/nginx-unprivileged:1.27 --replicas 2 --port 8080",
      "mpctl workload deploy web --env dev --image nginxinc/nginx-unprivileged:1.28  # other fields stay",
      "mpctl workload deploy api --env dev -f workload.yaml --image api:2",
      "mpctl workload deploy web --env dev --image nginx:missing  # shows a failure",
      "mpctl workload deploy web --env dev --image web:1 --port 80 --host web.example.com",
      "mpctl workload deploy db --env dev --image db:16 --volume data=/var/lib/db:10Gi",
      "mpctl workload deploy web --env dev --image web:1 --cpu 250m --autoscale 2-10@70",
      "mpctl workload deploy web --env dev --chart web --chart-version 1.4.2",
    ],
  )
    .argument("<workload>", "a name of at most 40 lower case letters, digits and '-'")
    .option(...ENV)
    .option(...ETAG)
    .option("--image <reference>", "such as nginx:1.27")
    .option("--replicas <n>", "number of copies; default: 1", integer)
    .option("--port <[name=]port[/udp]>", "repeatable", ports)
    .option("--var <key=value>", "environment variable, repeatable; values are kept secret", pairs)
    .option(
      "--var-from <[variable=]source>",
      "variables from the cluster: secret/NAME, config/NAME, VAR=secret/NAME/KEY; repeatable",
      sources,
    )
    .option("--cpu <quantity>", "for each copy, such as 250m")
    .option("--memory <quantity>", "for each copy, such as 256Mi")
    .option("--health-path <path>", "HTTP readiness check")
    .option("--health-port <port>", "its port; default: the first port", integer)
    .option("--live-path <path>", "HTTP check; a copy that fails it is restarted")
    .option("--live-port <port>", "its port; default: the first port", integer)
    .option("--command <text>", "overrides the image's command, repeatable", texts)
    .option("--arg <text>", "argument of the command, repeatable", texts)
    .option(
      "--volume <name=path:source>",
      "mount scratch[/SIZE], secret/NAME, config/NAME, or storage of a size such as 10Gi; repeatable",
      volumes,
    )
    .option("--host <name>", "DNS name for access from outside the cluster")
    .option("--host-path <path>", "only paths that begin with it")
    .option("--host-port <port>", "one of the ports; default: the first port", integer)
    .option("--tls-secret <name>", "the secret with the host's certificate")
    .option("--ingress-class <name>", "default: the cluster's default")
    .option(
      "--autoscale <min-max[@percent]>",
      "scale the number of copies with the cpu load",
      autoscaling,
    )
    .option("--max-unavailable <n>", "how many copies maintenance may stop at once", integer)
    .option("--chart <name>", "a Helm chart instead of an image")
    .option("--chart-version <version>", "exact, such as 1.4.2")
    .option("--chart-values <path>", "its values from a YAML or JSON file; they are kept secret")
    .option("--label <key=value>", "repeatable", pairs)
    .option("--progress-deadline <duration>", "how long a rollout may make no progress", duration)
    .option(
      "-f, --file <path>",
      "the whole workload from a YAML or JSON file, - for standard input",
    )
    .option(...FORCE_CONFLICTS)
    .option("--replace", "reset other fields to their defaults, as with a file")
    .action((workload, flags) =>
      runWith(runner, flags, async (context) => {
        const { deployWorkload } = await import("../commands/change_workload.ts");
        return await deployWorkload(context, workload, flags);
      })
    );
}

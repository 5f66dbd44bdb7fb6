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
    .option(...ETAG)
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

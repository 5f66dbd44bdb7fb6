/** The whole platform in one process: `deno task dev`. */
import process from "node:process";
import { assertPermitted, clusterNames, formatAddress, runProcess } from "@mpc/process";
import { type AllInOne, startAllInOne } from "./all_in_one.ts";
import { type AllInOneConfig, readAllInOneConfig } from "./config.ts";

function welcome(config: AllInOneConfig, platform: AllInOne): string {
  const web = `${config.tls ? "https" : "http"}://${formatAddress(platform.webAddress)}`;
  const server = platform.webAddress.port === 8080 ? "" : ` --server ${web}`;
  return `The mini platform control plane is running.

  gRPC     ${formatAddress(platform.grpcAddress)}
  web      ${web}
  data     ${config.dataDir ?? "in memory, gone when this stops"}
  cluster  ${clusterNames(config.clusters)}
  engine   ${config.engine}

Try next, in a second terminal:
  deno task mpctl${server} env create dev --ttl 8h --label team=web
  deno task mpctl${server} workload deploy web --env dev --image nginxinc/nginx-unprivileged:1.27 --replicas 2 --port 8080
  deno task mpctl${server} op list
`;
}

const TASKS = { task: "deno task dev", permitted: "deno task dev:cluster" };

async function start(config: AllInOneConfig): Promise<AllInOne> {
  await assertPermitted(config, TASKS);
  if (config.engine === "embedded") {
    // Only Temporal needs native code, and processes for its server and its bundler.
    await Deno.permissions.revoke({ name: "ffi" });
    await Deno.permissions.revoke({ name: "run", command: "deno" });
  }
  return await startAllInOne(config);
}

process.exitCode = await runProcess({
  readConfig: readAllInOneConfig,
  start,
  welcome,
  goodbye: "Stopping: running calls may finish, operations continue after the next start",
}, process.argv.slice(2));

import process from "node:process";
import { configure, getConsoleSink } from "@logtape/logtape";
import { isMpcError } from "@mpc/domain";
import { formatAddress } from "./address.ts";
import { type AllInOne, startAllInOne } from "./all_in_one.ts";
import { type AllInOneConfig, readConfig } from "./config.ts";

/** Starts the platform, tells how to use it, and runs until it is told to stop. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const config = readConfig(args);
    if (!config) return 0;
    await startLogging(config);
    const platform = await startAllInOne(config);
    console.log(welcome(config, platform));
    await untilStopped();
    console.log("Stopping: running calls may finish, operations go on at the next start");
    await platform.close();
    return 0;
  } catch (error) {
    if (!isMpcError(error) || error.code === "INTERNAL") throw error;
    console.error(`Error: ${error.message}`);
    return error.code === "INVALID_ARGUMENT" ? 2 : 1;
  }
}

async function startLogging({ logLevel }: AllInOneConfig): Promise<void> {
  await configure({
    sinks: { stderr: getConsoleSink() },
    loggers: [
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
      { category: "mpc", lowestLevel: logLevel, sinks: ["stderr"] },
    ],
  });
}

function welcome(config: AllInOneConfig, platform: AllInOne): string {
  const web = `http://${formatAddress(platform.webAddress)}`;
  const server = platform.webAddress.port === 8080 ? "" : ` --server ${web}`;
  return `The mini platform control plane is running.

  gRPC  ${formatAddress(platform.grpcAddress)}
  web   ${web}
  data  ${config.dataDir ?? "in memory, gone when this stops"}

Try next, in a second terminal:
  deno task mpctl${server} env create dev --ttl 8h --label team=web
  deno task mpctl${server} workload deploy web --env dev --image nginx:1.27 --replicas 2 --port 80
  deno task mpctl${server} op list
`;
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}

process.exitCode = await main(process.argv.slice(2));

/** The API alone: `deno task api`. */
import process from "node:process";
import { formatAddress, runProcess } from "@mpc/process";
import { type ApiConfig, readApiConfig } from "./config.ts";
import { type Api, startApi } from "./start_api.ts";

function welcome(config: ApiConfig, api: Api): string {
  return `The API of the mini platform control plane is running.

  gRPC     ${formatAddress(api.grpcAddress)}
  web      ${config.tls ? "https" : "http"}://${formatAddress(api.webAddress)}
  data     ${config.dataDir}
  workers  ${config.workers.map(({ origin }) => origin).join(", ")}
`;
}

process.exitCode = await runProcess({
  readConfig: readApiConfig,
  start: startApi,
  welcome,
  goodbye: "Stopping: running calls may finish; workers continue",
}, process.argv.slice(2));

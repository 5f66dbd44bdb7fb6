import config from "../../deno.json" with { type: "json" };
import { addressesOf, type PlatformProcess } from "./platform_process.ts";
import { startDeno } from "./subprocess.ts";

/** Starts the API alone, with the permissions that its task has, on free ports. */
export async function startApiProcess(
  dataDir: string,
  workers: readonly URL[],
): Promise<PlatformProcess> {
  const [, command = ""] = config.tasks.api.split(" && deno ");
  const permitted = command.replaceAll('"$MPC_DATA_DIR"', dataDir).split(" ");
  const process = startDeno([
    ...permitted,
    "--grpc-listen=127.0.0.1:0",
    "--web-listen=127.0.0.1:0",
    ...workers.map(({ origin }) => `--worker=${origin}`),
  ], { MPC_DATA_DIR: dataDir });
  return await addressesOf(process);
}

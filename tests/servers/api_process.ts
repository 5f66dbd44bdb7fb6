import { addressesOf, type PlatformProcess } from "./platform_process.ts";
import { startTask } from "./task_process.ts";

/** Starts the API alone, on free ports. */
export async function startApiProcess(
  dataDir: string,
  workers: readonly URL[],
  env: Readonly<Record<string, string>> = {},
): Promise<PlatformProcess> {
  return await addressesOf(startTask("api", dataDir, [
    "--grpc-listen=127.0.0.1:0",
    "--web-listen=127.0.0.1:0",
    ...workers.map(({ origin }) => `--worker=${origin}`),
  ], env));
}

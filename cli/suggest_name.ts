import { Code, ConnectError } from "@connectrpc/connect";
import { EnvironmentService, ErrorInfoSchema, WorkloadService } from "@mpc/proto";
import { connect } from "./client.ts";
import type { CliConfig } from "./config.ts";
import { idOf } from "./names.ts";
import { nearest } from "./nearest.ts";

const OPTIONS = { timeoutMs: 1_000 };
const MAX_NAMES = 500;

/** "Did you mean …?" for an environment or a workload that is not there, by those that are. */
export async function suggestName(error: unknown, config: CliConfig): Promise<string | undefined> {
  if (!(error instanceof ConnectError) || error.code !== Code.NotFound) return undefined;
  const missing = error.findDetails(ErrorInfoSchema)[0]?.metadata["resource"] ?? "";
  const [kind, environment, ...rest] = missing.split("/");
  if (kind !== "environments" || environment === undefined) return undefined;
  const connection = await connect({ config });
  try {
    if (rest.length === 0) {
      const client = connection.client(EnvironmentService);
      const { environments } = await client.listEnvironments({ pageSize: MAX_NAMES }, OPTIONS);
      return nearest(environment, environments.map(({ name }) => idOf(name)));
    }
    const parent = `environments/${environment}`;
    const client = connection.client(WorkloadService);
    const { workloads } = await client.listWorkloads({ parent, pageSize: MAX_NAMES }, OPTIONS);
    return nearest(idOf(missing), workloads.map(({ name }) => idOf(name)));
  } catch {
    // The error itself is told in any case; this only adds to it.
    return undefined;
  } finally {
    connection.close();
  }
}

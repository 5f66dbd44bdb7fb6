/** Candidates for a flag's value or an argument: names from the server, or a fixed list. */
import type { Connection } from "@mpc/client";
import { EnvironmentService, OperationService, OperationState, WorkloadService } from "@mpc/proto";
import { readProfiles } from "../config/profiles.ts";
import { readConfig } from "../config/read_config.ts";
import { SETTING_NAMES, SETTINGS } from "../config/settings.ts";
import { withConnection } from "../context.ts";
import type { Host } from "../host/mod.ts";
import { environmentName, idOf } from "../names.ts";
import { FORMATS } from "../output/format.ts";

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** How long the tab key may take. */
const PATIENCE_MS = 1_000;
const MAX_NAMES = 200;

/** @returns undefined for file names */
export async function valuesOf(
  what: string,
  flags: Readonly<Record<string, string>>,
  host: Host,
): Promise<readonly Candidate[] | undefined> {
  switch (what) {
    case "--file":
    case "--chart-values":
      return undefined;
    case "--output":
      return FORMATS.map(plain);
    case "--kind":
      return ["environment", "workload", "operation"].map(plain);
    case "setting":
      return SETTING_NAMES.map((value) => ({ value, description: SETTINGS[value].description }));
    case "--profile":
    case "profile":
      return Object.keys((await readProfiles(host)).profiles).map(plain);
    case "--env":
    case "environment":
      return await fromServer(flags, host, environments);
    case "workload":
      return await fromServer(flags, host, workloads);
    case "operation":
      return await fromServer(flags, host, operations);
    default:
      return [];
  }
}

const plain = (value: string): Candidate => ({ value, description: "" });

type Read = (
  connection: Connection,
  environment: string,
  options: { readonly timeoutMs: number },
) => Promise<readonly Candidate[]>;

async function fromServer(
  flags: Readonly<Record<string, string>>,
  host: Host,
  read: Read,
): Promise<readonly Candidate[]> {
  try {
    const config = await readConfig({
      server: flags["--server"],
      profile: flags["--profile"],
      env: flags["--env"],
    }, host);
    return await withConnection(
      { config },
      (connection) => read(connection, config.environment || "-", { timeoutMs: PATIENCE_MS }),
    );
  } catch {
    // A shell cannot show the error of a completion, so there are no candidates.
    return [];
  }
}

const environments: Read = async (connection, _environment, options) => {
  const client = connection.client(EnvironmentService);
  const { environments } = await client.listEnvironments({ pageSize: MAX_NAMES }, options);
  return environments.map(({ name }) => plain(idOf(name)));
};

const workloads: Read = async (connection, environment, options) => {
  const client = connection.client(WorkloadService);
  const parent = environmentName(environment);
  const { workloads } = await client.listWorkloads({ parent, pageSize: MAX_NAMES }, options);
  return workloads.map(({ name, spec }) => ({
    // Without an environment only the full name is unambiguous.
    value: environment === "-" ? name : idOf(name),
    description: spec?.image ?? "",
  }));
};

const operations: Read = async (connection, _environment, options) => {
  const client = connection.client(OperationService);
  const { operations } = await client.listOperations({ pageSize: 20 }, options);
  return operations.map(({ name, kind, target, state }) => ({
    value: idOf(name),
    description: `${kind} of ${target}, ${OperationState[state]}`,
  }));
};

/** Candidates for a flag's value or an argument: names from the server, or a fixed list. */
import type { Connection } from "@mpc/client";
import { EnvironmentService, OperationService, OperationState, WorkloadService } from "@mpc/proto";
import { readProfiles } from "../config/profiles.ts";
import { readConfig } from "../config/read_config.ts";
import { SETTING_NAMES, SETTINGS } from "../config/settings.ts";
import { connect } from "../context.ts";
import type { Host } from "../host/mod.ts";
import { environmentName, idOf, workloadName } from "../names.ts";
import { FORMATS } from "../output/format.ts";

/** The command line before the word to be completed. */
export interface Line {
  /** The command, for instance `workload` and `rollback`. */
  readonly noun: string;
  readonly verb: string;
  /** Arguments of the command. */
  readonly values: readonly string[];
  /** Flags with a value, by their long names. */
  readonly flags: Readonly<Record<string, string>>;
}

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
  line: Line,
  host: Host,
): Promise<readonly Candidate[] | undefined> {
  switch (what) {
    case "--file":
    case "--chart-values":
    case "--out":
    case "--ca-file":
    case "--client-certificate":
    case "--client-key":
    case "--token-file":
    case "plan":
      return undefined;
    case "--output":
      return FORMATS.map(plain);
    case "--kind":
      return ["environment", "workload", "operation"].map(plain);
    case "--sort-by":
      return (SORT_FIELDS[line.noun] ?? []).flatMap((field) => [field, `${field} desc`].map(plain));
    case "value":
      return await valuesOf(
        `--${line.values[0] === "environment" ? "env" : line.values[0]}`,
        line,
        host,
      );
    case "setting":
      return SETTING_NAMES.map((value) => ({ value, description: SETTINGS[value].description }));
    case "--profile":
    case "profile":
      return Object.keys((await readProfiles(host)).profiles).map(plain);
    case "--env":
    case "environment":
      return await fromServer(line, host, environments);
    case "workload":
      return await fromServer(line, host, workloads);
    case "operation":
      return await fromServer(line, host, operations(line.verb));
    case "--to":
    case "a":
    case "b":
      return await fromServer(line, host, revisions(line.values[0]));
    case "--replica":
      return await fromServer(line, host, replicas(line.values[0]));
    case "--cluster":
      return await fromServer(line, host, clusters);
    case "--target":
      return await fromServer(line, host, targets);
    default:
      return [];
  }
}

/** The common sort fields of lists. */
const SORT_FIELDS: Readonly<Record<string, readonly string[]>> = {
  env: [
    ...["name", "state", "create_time", "update_time", "expire_time", "cluster"],
    "state, create_time",
  ],
  workload: [
    ...["name", "state", "create_time", "update_time", "image", "replicas"],
    "state, create_time",
  ],
  op: [
    ...["create_time", "update_time", "end_time", "state", "kind", "target"],
    ...["state, create_time", "target, create_time"],
  ],
  token: ["name", "create_time", "expire_time", "last_use_time", "creator"],
  audit: ["time", "sequence"],
};

/** Which operations a verb can act on (AIP-160); a verb that is missing here can act on all. */
const ACTS_ON: Readonly<Record<string, string>> = {
  cancel: "state = PENDING OR state = RUNNING",
  watch: "state = PENDING OR state = RUNNING OR state = CANCELLING",
  retry: "state = FAILED OR state = NEEDS_ATTENTION",
};

const plain = (value: string): Candidate => ({ value, description: "" });

type Read = (
  connection: Connection,
  environment: string,
  options: { readonly timeoutMs: number },
) => Promise<readonly Candidate[]>;

async function fromServer(
  { flags }: Line,
  host: Host,
  read: Read,
): Promise<readonly Candidate[]> {
  try {
    const config = await readConfig({
      server: flags["--server"],
      profile: flags["--profile"],
      env: flags["--env"],
    }, host);
    const connection = await connect({ config });
    try {
      return await read(connection, config.environment || "-", { timeoutMs: PATIENCE_MS });
    } finally {
      connection.close();
    }
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

const operations = (verb: string): Read => async (connection, _environment, options) => {
  const client = connection.client(OperationService);
  const filter = ACTS_ON[verb] ?? "";
  const { operations } = await client.listOperations({ pageSize: 20, filter }, options);
  return operations.map(({ name, kind, target, state }) => ({
    value: idOf(name),
    description: `${kind} of ${target}, ${OperationState[state]}`,
  }));
};

const revisions =
  (workload: string | undefined): Read => async (connection, environment, options) => {
    if (workload === undefined) return [];
    const client = connection.client(WorkloadService);
    const parent = workloadName(workload, { environment });
    const { revisions } = await client.listRevisions({ parent, pageSize: MAX_NAMES }, options);
    return revisions.map(({ number, spec }) => ({
      value: String(number),
      description: spec?.image ?? "",
    }));
  };

const replicas =
  (workload: string | undefined): Read => async (connection, environment, options) => {
    if (workload === undefined) return [];
    const client = connection.client(WorkloadService);
    const { pods } = await client.listPods(
      { parent: workloadName(workload, { environment }) },
      options,
    );
    return pods.map(({ name, status }) => ({ value: name, description: status }));
  };

const clusters: Read = async (connection, _environment, options) => {
  const client = connection.client(EnvironmentService);
  const { environments } = await client.listEnvironments({ pageSize: MAX_NAMES }, options);
  return [...new Set(["default", ...environments.map(({ cluster }) => cluster)])].map(plain);
};

const targets: Read = async (connection, _environment, options) => {
  const inside = connection.client(WorkloadService);
  const [{ environments }, { workloads }] = await Promise.all([
    connection.client(EnvironmentService).listEnvironments({ pageSize: MAX_NAMES }, options),
    inside.listWorkloads({ parent: environmentName("-"), pageSize: MAX_NAMES }, options),
  ]);
  return [...environments, ...workloads].map(({ name }) => plain(name));
};

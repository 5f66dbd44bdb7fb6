import process from "node:process";
import { Command } from "@commander-js/extra-typings";
import {
  type Address,
  AUDIT_RETENTION,
  type AuditLogSettings,
  CERTIFICATE_ISSUE,
  countBetween,
  DATA_FLAGS,
  dataOf,
  type DataSettings,
  DEFAULT_AUDIT_RETENTION,
  DEFAULT_NAMESPACE,
  doorAddress,
  ENCRYPTION_KEY_FILE,
  EVENT_SINKS_FILE,
  FLAGS_IN_ENVIRONMENT,
  hasWholeCertificate,
  hostName,
  isExposed,
  keepTime,
  LOG_FLAGS,
  loggingOf,
  type LogSettings,
  oneOf,
  pageOrigin,
  peerUrl,
  PROCESS_SETTINGS,
  PROVIDER_FLAGS,
  providerOf,
  type ProviderSettings,
  PUBLIC_METRICS,
  readFlags,
  TAKE_OVER,
  TEMPORAL_ENVIRONMENT,
  TEMPORAL_FLAGS,
  type TemporalAddress,
  temporalTarget,
  TLS_FLAGS,
  tlsIssue,
  tlsOf,
  type TlsSettings,
  withData,
  withLogging,
  withProvider,
  withTemporal,
  withTls,
} from "@mpc/process";
import { z } from "zod";
import type { WorkerTlsSettings } from "./cluster/worker_tls.ts";
import { exposureProblem } from "./exposure.ts";
import type { RateLimit } from "./interceptors/rate_limit.ts";

/** Settings of the doors of a server. */
export interface DoorsConfig {
  readonly grpcListen: Address;
  readonly webListen: Address;
  /** Hosts that requests to the web door may name, besides loopback names and `webListen`. */
  readonly allowedHosts: readonly string[];
  /** Origins of web pages elsewhere that may call the web door. */
  readonly corsOrigins: readonly string[];
  /** Null to serve without TLS. */
  readonly tls: TlsSettings | null;
  /** What the doors lack although other machines may reach them; null if they lack nothing. */
  readonly exposed: string | null;
  readonly graceMs: number;
  /** Whether `/metrics` is answered without credentials. */
  readonly publicMetrics: boolean;
  /** For each caller. */
  readonly rateLimit: RateLimit;
  /** Path of the access file; null to allow everything to one local user. */
  readonly accessFile: string | null;
  /** Where audit records are also written to; null for the store alone. */
  readonly auditLog: AuditLogSettings | null;
}

/** Settings of the all-in-one server. */
export interface AllInOneConfig extends DoorsConfig, DataSettings, ProviderSettings {
  /** How long history is kept, in milliseconds; null to keep all of it. */
  readonly keepMs: number | null;
  /** The same of the audit. */
  readonly auditKeepMs: number | null;
  /** Path of the file of event sinks; null to send events nowhere. */
  readonly eventSinksFile: string | null;
  /** Which engine executes operations. */
  readonly engine: "embedded" | "temporal";
  /** Whether it continues operations that the other engine has left unfinished. */
  readonly takeOver: boolean;
  /** What the engine on Temporal needs. */
  readonly temporal: {
    /** A running Temporal; null to start one. */
    readonly target: TemporalAddress | null;
    readonly taskQueue: string;
    /** Encrypts what Temporal keeps: 32 bytes in base64; null for none. */
    readonly payloadKey: string | null;
  };
  readonly logging: LogSettings;
}

/** Settings of the API alone. */
export interface ApiConfig extends DoorsConfig, DataSettings {
  /** Internal services of workers, any of which can read the clusters. */
  readonly workers: readonly URL[];
  /** What the API presents to workers and trusts; null for the usual authorities alone. */
  readonly workerTls: WorkerTlsSettings | null;
  readonly logging: LogSettings;
}

const DOORS = {
  ...PROCESS_SETTINGS,
  ...LOG_FLAGS,
  ...TLS_FLAGS,
  grpcListen: doorAddress,
  webListen: doorAddress,
  insecure: z.boolean().default(false),
  publicMetrics: z.boolean().default(false),
  rateLimit: countBetween(1, 1_000_000),
  allowedHost: z.array(hostName),
  corsOrigin: z.array(pageOrigin),
  accessFile: z.string().min(1, "must be a path").optional(),
  auditLog: z.string().min(1, "must be stdout or a file").optional(),
  auditLogMaxBytes: countBetween(10_000, 10_000_000_000),
};

type DoorFlags = z.output<z.ZodObject<typeof DOORS>>;

/** Rejects doors that other machines could reach without TLS or authentication. */
function checkDoors(flags: DoorFlags, context: z.RefinementCtx): void {
  const issue = tlsIssue(flags);
  if (issue) context.addIssue({ code: "custom", ...issue });
  const problem = exposureProblem(exposureOf(flags));
  if (!problem || flags.insecure) return;
  const message = `needs ${problem.lacks}, because other machines can reach it; ` +
    "--insecure allows it all the same";
  context.addIssue({ code: "custom", path: [problem.flag], message });
}

const exposureOf = ({ grpcListen, webListen, tlsCert, accessFile }: DoorFlags) => ({
  grpcListen,
  webListen,
  tls: tlsCert !== undefined,
  access: accessFile !== undefined,
});

/** The Temporal that \`dev\` starts has the namespace \`default\` and no TLS. */
const NEEDS_ADDRESS = "needs --temporal-address: it is not for the Temporal that dev starts";

const ALL_IN_ONE = z.object({
  ...DOORS,
  ...PROVIDER_FLAGS,
  ...DATA_FLAGS,
  ephemeral: z.boolean().default(false),
  retention: keepTime,
  auditRetention: keepTime,
  eventSinksFile: z.string().min(1, "must be a path").optional(),
  engine: oneOf(["embedded", "temporal"]),
  takeOver: z.boolean().default(false),
  ...TEMPORAL_FLAGS,
}).refine(hasWholeCertificate, CERTIFICATE_ISSUE).superRefine((flags, context) => {
  checkDoors(flags, context);
  if (flags.engine !== "temporal" || flags.temporalAddress !== undefined) return;
  const aboutAnother = {
    temporalNamespace: flags.temporalNamespace !== DEFAULT_NAMESPACE,
    temporalTls: flags.temporalTls,
    temporalTlsCa: flags.temporalTlsCa !== undefined,
    temporalTlsCert: flags.temporalTlsCert !== undefined,
    temporalTlsServerName: flags.temporalTlsServerName !== undefined,
  };
  for (const [flag, given] of Object.entries(aboutAnother)) {
    if (given) context.addIssue({ code: "custom", path: [flag], message: NEEDS_ADDRESS });
  }
});

const file = z.string().min(1, "must not be empty").optional();

const API = z.object({
  ...DOORS,
  ...DATA_FLAGS,
  worker: z.array(peerUrl),
  workerTlsCa: file,
  workerTlsCert: file,
  workerTlsKey: file,
}).superRefine(checkDoors).superRefine((flags, context) => {
  const { worker, insecure, workerTlsCa, workerTlsCert, workerTlsKey } = flags;
  const given = [workerTlsCa, workerTlsCert, workerTlsKey]
    .filter((path) => path !== undefined).length;
  const problem = given % 3 !== 0
    ? {
      path: ["workerTlsCa"],
      message: "must be given together with --worker-tls-cert and --worker-tls-key",
    }
    : worker.some(isExposed) && !insecure
    ? {
      path: ["worker"],
      message: "must be https:// for another machine; --insecure allows http:// all the same",
    }
    : undefined;
  if (problem) context.addIssue({ code: "custom", ...problem });
});

const DEV_HELP = `
Examples:
  deno task dev                                  data under the user's data directory
  deno task dev --ephemeral                      everything in memory
  deno task dev --data-dir ./data --web-listen 127.0.0.1:0
  deno task dev --engine temporal                operations as workflows, on a Temporal of its own
  deno task dev --kubeconfig ~/.kube/config --context kind-dev
  deno task dev:cluster --clusters-file clusters.yaml     clusters beyond this machine

Environment: ${FLAGS_IN_ENVIRONMENT}
Also MPC_ALLOWED_HOSTS and ${TEMPORAL_ENVIRONMENT}.`;

const API_HELP = `
Examples:
  MPC_DATA_DIR=$PWD/data deno task api
  deno task api --worker http://127.0.0.1:50052 --worker http://127.0.0.1:50062
  deno task api:network --web-listen 0.0.0.0:8443 --allowed-host mpc.example.com
    --tls-cert server.crt --tls-key server.key --access-file access.yaml

Environment: ${FLAGS_IN_ENVIRONMENT}
Also MPC_WORKERS and MPC_ALLOWED_HOSTS.`;

/**
 * Reads flags and environment variables of the all-in-one server.
 * @returns undefined if only help was requested
 * @throws {MpcError} INVALID_ARGUMENT `USAGE`
 */
export function readAllInOneConfig(args: readonly string[]): AllInOneConfig | undefined {
  const { env } = process;
  const command = withData(
    new Command("dev").description("Runs the whole platform in one process, on this machine"),
    env,
    "where all data is kept",
  )
    .option(...ENCRYPTION_KEY_FILE)
    .option("--ephemeral", "keep everything in memory, whatever --store says")
    .option("--retention <time>", "how long history is kept", process.env["MPC_RETENTION"] ?? "90d")
    .option(...AUDIT_RETENTION, env["MPC_AUDIT_RETENTION"] ?? DEFAULT_AUDIT_RETENTION)
    .option(...EVENT_SINKS_FILE, env["MPC_EVENT_SINKS_FILE"])
    .option("--engine <name>", "embedded, or temporal for operations as workflows", "embedded")
    .option(...TAKE_OVER);
  const all = withTemporal(withProvider(withDoors(command), env), env, {
    description: "a running Temporal; by default one is started",
  }).addHelpText("after", DEV_HELP);
  const flags = readFlags(all, ALL_IN_ONE, args, env);
  return flags && {
    ...doorsOf(flags),
    ...providerOf(flags),
    ...dataOf(flags, flags.ephemeral),
    keepMs: flags.retention,
    auditKeepMs: flags.auditRetention,
    eventSinksFile: flags.eventSinksFile ?? null,
    engine: flags.engine,
    takeOver: flags.takeOver,
    temporal: {
      target: flags.temporalAddress === undefined
        ? null
        : temporalTarget(flags.temporalAddress, flags, env),
      taskQueue: flags.temporalTaskQueue,
      payloadKey: flags.payloadKeyFile ?? null,
    },
    logging: loggingOf(flags),
  };
}

/**
 * Reads flags and environment variables of the API alone.
 * @returns undefined if only help was requested
 * @throws {MpcError} INVALID_ARGUMENT `USAGE`
 */
export function readApiConfig(args: readonly string[]): ApiConfig | undefined {
  const workers = process.env["MPC_WORKERS"] ?? "http://127.0.0.1:50052";
  const command = withData(
    new Command("api")
      .description("Runs the API alone; workers execute the operations that it admits"),
    process.env,
    "where records are kept, shared with workers",
  )
    .option(...ENCRYPTION_KEY_FILE)
    .option("--worker <url...>", "internal services of workers", workers.split(","))
    .option("--worker-tls-ca <file>", "the only authority of workers' certificates, in PEM")
    .option("--worker-tls-cert <file>", "the certificate that workers ask for, in PEM")
    .option("--worker-tls-key <file>", "its private key, in PEM");
  const all = withDoors(command).addHelpText("after", API_HELP);
  const flags = readFlags(all, API, args, process.env);
  return flags && {
    ...doorsOf(flags),
    ...dataOf(flags),
    workers: flags.worker,
    workerTls: workerTlsOf(flags),
    logging: loggingOf(flags),
  };
}

function workerTlsOf(
  { workerTlsCa, workerTlsCert, workerTlsKey }: z.output<typeof API>,
): WorkerTlsSettings | null {
  if (!workerTlsCa || !workerTlsCert || !workerTlsKey) return null;
  return { caFile: workerTlsCa, certFile: workerTlsCert, keyFile: workerTlsKey };
}

function withDoors(command: Command<[]>): Command<[]> {
  const env = process.env;
  return withLogging(withTls(command))
    .option("--grpc-listen <host:port>", "gRPC", env["MPC_GRPC_LISTEN"] ?? "127.0.0.1:50051")
    .option(
      "--web-listen <host:port>",
      "gRPC-Web, Connect and JSON",
      env["MPC_WEB_LISTEN"] ?? "127.0.0.1:8080",
    )
    .option(
      "--allowed-host <host...>",
      "host that requests may name, besides localhost",
      env["MPC_ALLOWED_HOSTS"]?.split(",").filter((host) => host.trim() !== "") ?? [],
    )
    .option(
      "--cors-origin <origin...>",
      "origin of web pages elsewhere that may call the API",
      [] as string[],
    )
    .option("--insecure", "let other machines call without TLS or authentication")
    .option(...PUBLIC_METRICS)
    .option("--grace <seconds>", "how long running calls may take to finish", "10")
    .option("--rate-limit <calls>", "maximum calls per second of each caller", "1000")
    .option(
      "--access-file <path>",
      "who may do what; without it, everything is allowed to one local user",
      env["MPC_ACCESS_FILE"],
    )
    .option(
      "--audit-log <file>",
      "where audit records are written to as JSON lines, besides the store; stdout or a file",
      env["MPC_AUDIT_LOG"],
    )
    .option(
      "--audit-log-max-bytes <bytes>",
      "size at which the file is renamed to FILE.1 and a new one begins",
      "100000000",
    );
}

function doorsOf(flags: DoorFlags): DoorsConfig {
  const { grpcListen, webListen, allowedHost, grace, rateLimit, accessFile = null } = flags;
  const { auditLog, auditLogMaxBytes } = flags;
  return {
    grpcListen,
    webListen,
    allowedHosts: allowedHost,
    corsOrigins: flags.corsOrigin,
    tls: tlsOf(flags),
    exposed: exposureProblem(exposureOf(flags))?.lacks ?? null,
    publicMetrics: flags.publicMetrics,
    graceMs: grace * 1_000,
    rateLimit: { perSecond: rateLimit, burst: 2 * rateLimit },
    accessFile,
    auditLog: auditLog === undefined ? null : { auditLog, auditLogMaxBytes },
  };
}

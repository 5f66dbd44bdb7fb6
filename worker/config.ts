import process from "node:process";
import { Command } from "@commander-js/extra-typings";
import {
  type Address,
  AUDIT_RETENTION,
  CERTIFICATE_ISSUE,
  countBetween,
  DATA_FLAGS,
  dataOf,
  type DataSettings,
  DEFAULT_AUDIT_RETENTION,
  doorAddress,
  ENCRYPTION_KEY_FILE,
  EVENT_SINKS_FILE,
  FLAGS_IN_ENVIRONMENT,
  hasWholeCertificate,
  isLoopback,
  keepTime,
  LOG_FLAGS,
  loggingOf,
  type LogSettings,
  PROVIDER_FLAGS,
  providerOf,
  type ProviderSettings,
  PUBLIC_METRICS,
  readFlags,
  TAKE_OVER,
  TEMPORAL_ENVIRONMENT,
  TEMPORAL_FLAGS,
  temporalTarget,
  type TlsSettings,
  withData,
  withLogging,
  withProvider,
  withTemporal,
} from "@mpc/process";
import { z } from "zod";
import { BUNDLE_PATH, type TemporalConfig } from "./engine/temporal/mod.ts";

/** The settings of a worker. */
export interface WorkerConfig extends DataSettings, ProviderSettings {
  /** How long history is kept, in milliseconds; null to keep all of it. */
  readonly keepMs: number | null;
  /** The same of the audit. */
  readonly auditKeepMs: number | null;
  /** Path of the file of event sinks; null to send events nowhere. */
  readonly eventSinksFile: string | null;
  /** Whether operations that the embedded engine has left unfinished are continued. */
  readonly takeOver: boolean;
  readonly temporal: TemporalConfig;
  readonly healthListen: Address;
  /** Whether other machines may read `/metrics`. */
  readonly publicMetrics: boolean;
  readonly internalListen: Address;
  /** Certificates of the internal service; null to serve it without TLS. */
  readonly internalTls: TlsSettings | null;
  readonly logging: LogSettings;
}

/** Where Temporal listens on a machine of its own. */
const LOCAL_TEMPORAL = "127.0.0.1:7233";

const file = z.string().min(1, "must not be empty").optional();

const WORKER = z.object({
  ...LOG_FLAGS,
  ...DATA_FLAGS,
  ...PROVIDER_FLAGS,
  retention: keepTime,
  auditRetention: keepTime,
  eventSinksFile: z.string().min(1, "must be a path").optional(),
  takeOver: z.boolean().default(false),
  concurrency: countBetween(1, 1_000),
  healthListen: doorAddress,
  publicMetrics: z.boolean().default(false),
  internalListen: doorAddress,
  internalTlsCert: file,
  internalTlsKey: file,
  internalTlsClientCa: file,
  insecure: z.boolean().default(false),
  ...TEMPORAL_FLAGS,
  workflowBundle: z.string().min(1, "must not be empty"),
  deployment: z.string().min(1, "must not be empty").optional(),
  buildId: z.string().min(1, "must not be empty").optional(),
}).refine(hasWholeCertificate, CERTIFICATE_ISSUE).refine(
  ({ deployment, buildId }) => !deployment === !buildId,
  {
    path: ["deployment"],
    error: "and --build-id must be given together",
  },
).superRefine((flags, context) => {
  const { internalListen, insecure } = flags;
  const { internalTlsCert, internalTlsKey, internalTlsClientCa } = flags;
  const given = [internalTlsCert, internalTlsKey, internalTlsClientCa]
    .filter((path) => path !== undefined).length;
  const problem = given % 3 !== 0
    ? {
      path: ["internalTlsCert"],
      message: "must be given together with --internal-tls-key and --internal-tls-client-ca",
    }
    : given === 0 && !isLoopback(internalListen) && !insecure
    ? {
      path: ["internalListen"],
      message: "needs --internal-tls-cert, --internal-tls-key and --internal-tls-client-ca, " +
        "because other machines can reach it; --insecure allows it all the same",
    }
    : undefined;
  if (problem) context.addIssue({ code: "custom", ...problem });
});

const HELP = `
Examples:
  MPC_DATA_DIR=$PWD/data deno task worker
  deno task worker --kubeconfig ~/.kube/config --context kind-dev
  deno task worker --kubeconfig ~/.kube/config --charts ./charts
  deno task worker --health-listen 127.0.0.1:0 --internal-listen 127.0.0.1:50062
  deno task worker --internal-listen 0.0.0.0:50052 --internal-tls-cert worker.crt
    --internal-tls-key worker.key --internal-tls-client-ca api-ca.crt

Environment: ${FLAGS_IN_ENVIRONMENT}
Also ${TEMPORAL_ENVIRONMENT}.`;

/**
 * Reads flags and environment variables.
 * @returns undefined if only help was requested
 * @throws {MpcError} INVALID_ARGUMENT `USAGE`
 */
export function readWorkerConfig(args: readonly string[]): WorkerConfig | undefined {
  const env = process.env;
  const command = withData(
    new Command("worker")
      .description("Executes the operations that the API admits; any number of workers may run"),
    env,
    "where records are kept, shared with the API",
  )
    .option(...ENCRYPTION_KEY_FILE)
    .option("--retention <time>", "how long history is kept", env["MPC_RETENTION"] ?? "90d")
    .option(...AUDIT_RETENTION, env["MPC_AUDIT_RETENTION"] ?? DEFAULT_AUDIT_RETENTION)
    .option(...EVENT_SINKS_FILE, env["MPC_EVENT_SINKS_FILE"])
    .option(...TAKE_OVER)
    .option("--concurrency <steps>", "steps that run at once", env["MPC_CONCURRENCY"] ?? "100")
    .option(
      "--health-listen <host:port>",
      "/healthz and /readyz, and /metrics for this machine",
      env["MPC_HEALTH_LISTEN"] ?? "127.0.0.1:8081",
    )
    .option(
      "--internal-listen <host:port>",
      "reads of the cluster, for the API",
      env["MPC_INTERNAL_LISTEN"] ?? "127.0.0.1:50052",
    )
    .option(...PUBLIC_METRICS)
    .option("--internal-tls-cert <file>", "the internal service's certificate and chain, in PEM")
    .option("--internal-tls-key <file>", "its private key, in PEM")
    .option(
      "--internal-tls-client-ca <file>",
      "the authority of the API's certificates, in PEM; nobody else may call",
    )
    .option("--insecure", "let other machines reach the internal service without TLS")
    .option("--workflow-bundle <file>", "output of 'deno task bundle:workflows'", BUNDLE_PATH)
    .option("--deployment <name>", "deployment whose builds run side by side")
    .option("--build-id <id>", "this worker's build; operations stay with theirs")
    .addHelpText("after", HELP);
  const all = withTemporal(withProvider(withLogging(command), env), env, {
    default: LOCAL_TEMPORAL,
    description: "address of Temporal",
  });
  const flags = readFlags(all, WORKER, args, process.env);
  if (!flags) return undefined;
  const { healthListen, publicMetrics, internalListen } = flags;
  return {
    ...providerOf(flags),
    ...dataOf(flags),
    keepMs: flags.retention,
    auditKeepMs: flags.auditRetention,
    eventSinksFile: flags.eventSinksFile ?? null,
    takeOver: flags.takeOver,
    temporal: temporalOf(flags),
    healthListen,
    publicMetrics,
    internalListen,
    internalTls: internalTlsOf(flags),
    logging: loggingOf(flags),
  };
}

function internalTlsOf(
  { internalTlsCert, internalTlsKey, internalTlsClientCa }: z.output<typeof WORKER>,
): TlsSettings | null {
  if (!internalTlsCert || !internalTlsKey || !internalTlsClientCa) return null;
  return {
    certFile: internalTlsCert,
    keyFile: internalTlsKey,
    clientCaFile: internalTlsClientCa,
    flagPrefix: "internal-",
  };
}

function temporalOf(flags: z.output<typeof WORKER>): TemporalConfig {
  return {
    target: temporalTarget(flags.temporalAddress ?? LOCAL_TEMPORAL, flags, process.env),
    taskQueue: flags.temporalTaskQueue,
    concurrency: flags.concurrency,
    bundlePath: flags.workflowBundle,
    payloadKey: flags.payloadKeyFile ?? null,
    ephemeral: false,
    version: flags.deployment !== undefined && flags.buildId !== undefined
      ? { deployment: flags.deployment, build: flags.buildId }
      : null,
  };
}

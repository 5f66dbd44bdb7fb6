import type { Command } from "@commander-js/extra-typings";
import { z } from "zod";
import { fileContent, hostAndPort } from "./settings.ts";

/** The address of Temporal, and how to authenticate there. */
export interface TemporalAddress {
  /** `host:port`. */
  readonly address: string;
  readonly namespace: string;
  /** Null for a connection without TLS. */
  readonly tls: TemporalTls | null;
  readonly apiKey: string | null;
}

/** Everything in PEM. */
export interface TemporalTls {
  /** Null for the machine's own certificate authorities. */
  readonly serverRootCa: string | null;
  /** Null if the server does not require a client certificate. */
  readonly client: { readonly certificate: string; readonly key: string } | null;
  /** The name in the server's certificate, if it differs from the address. */
  readonly serverName: string | null;
}

const file = fileContent.optional();

/** The flags about Temporal, for {@linkcode withTemporal}. */
export const TEMPORAL_FLAGS = {
  temporalAddress: hostAndPort.optional(),
  temporalNamespace: z.string().min(1, "must not be empty"),
  temporalTaskQueue: z.string().min(1, "must not be empty"),
  temporalTls: z.boolean().default(false),
  temporalTlsCa: file,
  temporalTlsCert: file,
  temporalTlsKey: file,
  temporalTlsServerName: z.string().optional(),
  payloadKeyFile: file,
} as const;

type TemporalFlags = z.output<z.ZodObject<typeof TEMPORAL_FLAGS>>;

/** The namespace that every Temporal has. */
export const DEFAULT_NAMESPACE = "default";

/** What {@linkcode withTemporal} reads of the environment, for help texts. */
export const TEMPORAL_ENVIRONMENT = `the variables
of Temporal's own programs: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY (which has no
flag), TEMPORAL_TLS_SERVER_CA_CERT_PATH, TEMPORAL_TLS_CLIENT_CERT_PATH, TEMPORAL_TLS_CLIENT_KEY_PATH`;

/**
 * Adds the flags about Temporal.
 * @param address default of `--temporal-address`, and what its description says
 */
export function withTemporal(
  command: Command<[]>,
  env: Readonly<Record<string, string | undefined>>,
  address: { readonly default?: string; readonly description: string },
): Command<[]> {
  return command
    .option(
      "--temporal-address <host:port>",
      address.description,
      env["TEMPORAL_ADDRESS"] || address.default,
    )
    .option(
      "--temporal-namespace <name>",
      "namespace",
      env["TEMPORAL_NAMESPACE"] || DEFAULT_NAMESPACE,
    )
    .option("--temporal-task-queue <name>", "task queue that the workers share", "mpc")
    .option("--temporal-tls", "connect with TLS; implied by its files and by an API key")
    .option("--temporal-tls-ca <file>", "PEM", env["TEMPORAL_TLS_SERVER_CA_CERT_PATH"])
    .option("--temporal-tls-cert <file>", "PEM", env["TEMPORAL_TLS_CLIENT_CERT_PATH"])
    .option("--temporal-tls-key <file>", "PEM", env["TEMPORAL_TLS_CLIENT_KEY_PATH"])
    .option("--temporal-tls-server-name <name>", "name in the server's certificate")
    .option("--payload-key-file <file>", "encrypts data in Temporal; 32 bytes in base64");
}

/** Whether a client certificate has its key and a key its certificate. */
export const hasWholeCertificate = (
  { temporalTlsCert, temporalTlsKey }: Pick<TemporalFlags, "temporalTlsCert" | "temporalTlsKey">,
): boolean => !temporalTlsCert === !temporalTlsKey;

/** The issue with flags that lack {@linkcode hasWholeCertificate}. */
export const CERTIFICATE_ISSUE = {
  path: ["temporalTlsCert"],
  error: "and --temporal-tls-key must be given together",
};

/** The Temporal at an address, with what the other flags say of it. */
export function temporalTarget(
  address: string,
  flags: TemporalFlags,
  env: Readonly<Record<string, string | undefined>>,
): TemporalAddress {
  const { temporalTlsCa, temporalTlsCert, temporalTlsKey, temporalTlsServerName } = flags;
  const apiKey = env["TEMPORAL_API_KEY"] || null;
  const secured = flags.temporalTls || apiKey !== null || temporalTlsCa !== undefined ||
    temporalTlsCert !== undefined;
  return {
    address,
    namespace: flags.temporalNamespace,
    apiKey,
    tls: secured
      ? {
        serverRootCa: temporalTlsCa ?? null,
        client: temporalTlsCert && temporalTlsKey
          ? { certificate: temporalTlsCert, key: temporalTlsKey }
          : null,
        serverName: temporalTlsServerName ?? null,
      }
      : null,
  };
}

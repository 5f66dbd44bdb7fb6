import process from "node:process";
import { Command } from "@commander-js/extra-typings";
import {
  type Address,
  doorAddress,
  FLAGS_IN_ENVIRONMENT,
  hostName,
  isLoopback,
  LOG_FLAGS,
  loggingOf,
  type LogSettings,
  PROCESS_SETTINGS,
  readFlags,
  TLS_FLAGS,
  tlsIssue,
  tlsOf,
  type TlsSettings,
  withLogging,
  withTls,
} from "@mpc/process";
import { z } from "zod";

/** Settings of the dashboard as a process of its own. */
export interface UiConfig {
  /** The API that it reads. */
  readonly server: URL;
  readonly listen: Address;
  readonly allowedHosts: readonly string[];
  /** Null to serve without TLS. */
  readonly tls: TlsSettings | null;
  readonly graceMs: number;
  readonly logging: LogSettings;
}

const serverUrl = z.string().transform((text, context) => {
  const url = URL.parse(text.trim());
  if (url && /^https?:$/.test(url.protocol)) return url;
  context.addIssue("must be http://HOST:PORT or https://HOST:PORT");
  return z.NEVER;
});

const UI = z.object({
  ...PROCESS_SETTINGS,
  ...LOG_FLAGS,
  ...TLS_FLAGS,
  server: serverUrl,
  listen: doorAddress,
  allowedHost: z.array(hostName),
  insecure: z.boolean().default(false),
}).superRefine((flags, context) => {
  const issue = tlsIssue(flags);
  if (issue) context.addIssue({ code: "custom", ...issue });
  if (isLoopback(flags.listen) || flags.tlsCert !== undefined || flags.insecure) return;
  const message = "needs TLS (--tls-cert and --tls-key), because other machines can reach it; " +
    "--insecure allows it all the same";
  context.addIssue({ code: "custom", path: ["listen"], message });
});

const HELP = `
Examples:
  deno task ui
  deno task ui --server http://127.0.0.1:8080 --listen 127.0.0.1:8090
  deno task ui:network --server https://mpc.example.com --listen 0.0.0.0:8443
    --allowed-host ui.example.com --tls-cert ui.crt --tls-key ui.key

Environment: ${FLAGS_IN_ENVIRONMENT}`;

/**
 * Reads flags and environment variables of the dashboard.
 * @returns undefined if only help was requested
 * @throws {MpcError} INVALID_ARGUMENT `USAGE`
 */
export function readUiConfig(args: readonly string[]): UiConfig | undefined {
  const { env } = process;
  const bare = new Command("ui").description("Serves the dashboard, which reads an API");
  const command = withLogging(withTls(bare))
    .option("--server <url>", "web door of the API", "http://127.0.0.1:8080")
    .option("--listen <host:port>", "where the pages are served", "127.0.0.1:8090")
    .option(
      "--allowed-host <host...>",
      "host that requests may name, besides localhost",
      [] as string[],
    )
    .option("--insecure", "let other machines see the pages without TLS")
    .option("--grace <seconds>", "how long running requests may take to finish", "10")
    .addHelpText("after", HELP);
  const flags = readFlags(command, UI, args, env);
  return flags && {
    server: flags.server,
    listen: flags.listen,
    allowedHosts: flags.allowedHost,
    tls: tlsOf(flags),
    graceMs: flags.grace * 1_000,
    logging: loggingOf(flags),
  };
}

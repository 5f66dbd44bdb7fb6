import process from "node:process";
import { Command } from "@commander-js/extra-typings";
import {
  type Address,
  FLAGS_IN_ENVIRONMENT,
  listenAddress,
  LOG_FLAGS,
  loggingOf,
  type LogSettings,
  pageOrigin,
  readFlags,
  TEMPORAL_FLAGS,
  withLogging,
} from "@mpc/process";
import { z } from "zod";

/** The settings of a codec server. */
export interface CodecConfig {
  /** The keys of the workers, as their `--payload-key-file` holds them. */
  readonly payloadKey: string;
  readonly listen: Address;
  readonly uiOrigin: string | null;
  readonly logging: LogSettings;
}

const CODEC = z.object({
  payloadKeyFile: TEMPORAL_FLAGS.payloadKeyFile.unwrap(),
  codecListen: listenAddress,
  uiOrigin: pageOrigin.optional(),
  ...LOG_FLAGS,
});

const HELP = `
Examples:
  deno task codec --payload-key-file key --ui-origin http://localhost:8233
  temporal workflow show --workflow-id ID --codec-endpoint http://127.0.0.1:8083

Environment: ${FLAGS_IN_ENVIRONMENT}`;

/**
 * Reads flags and environment variables.
 * @returns undefined if only help was requested
 * @throws {MpcError} INVALID_ARGUMENT `USAGE`
 */
export function readCodecConfig(args: readonly string[]): CodecConfig | undefined {
  const { env } = process;
  const described = new Command("codec")
    .description("Decrypts payloads for Temporal's UI and CLI on this machine");
  const command = withLogging(described, "warning")
    .requiredOption(
      "--payload-key-file <file>",
      "the keys of the workers",
      env["MPC_PAYLOAD_KEY_FILE"],
    )
    .option("--codec-listen <host:port>", "where to listen", "127.0.0.1:8083")
    .option(
      "--ui-origin <origin>",
      "pages that may read payloads: the origin of Temporal's UI",
    )
    .addHelpText("after", HELP);
  const flags = readFlags(command, CODEC, args, env);
  return flags && {
    payloadKey: flags.payloadKeyFile,
    listen: flags.codecListen,
    uiOrigin: flags.uiOrigin ?? null,
    logging: loggingOf(flags),
  };
}

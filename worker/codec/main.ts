/** Decrypts payloads for Temporal's UI: `deno task codec`. */
import process from "node:process";
import { formatAddress, runProcess } from "@mpc/process";
import { encryptingCodec } from "../engine/temporal/encrypting_codec.ts";
import type { Listening } from "../listening.ts";
import { type CodecConfig, readCodecConfig } from "./config.ts";
import { serveCodec } from "./serve_codec.ts";

function welcome({ uiOrigin }: CodecConfig, { address }: Listening): string {
  return `The codec server of the mini platform control plane is running.

  endpoint  http://${formatAddress(address)}
  pages     ${uiOrigin ?? "none; give --ui-origin for Temporal's UI"}
`;
}

process.exitCode = await runProcess({
  readConfig: readCodecConfig,
  start: async ({ payloadKey, listen, uiOrigin }) =>
    serveCodec({ codec: await encryptingCodec(payloadKey), listen, uiOrigin }),
  welcome,
  goodbye: "Stopping",
}, process.argv.slice(2));

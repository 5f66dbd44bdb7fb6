import { fileURLToPath } from "node:url";
import type { DataConverter } from "@temporalio/common";
import { encryptingCodec } from "./encrypting_codec.ts";

/** The SDK loads it by its path. */
const FAILURE_CONVERTER = fileURLToPath(new URL("./failure_converter.ts", import.meta.url));

/**
 * Encrypts payloads and the failures of activities and of workflow tasks. Workflows fail inside the
 * sandbox, which has no key: their failures carry no content (see {@linkcode EndResult}), and those
 * of periodic passes carry none anywhere.
 * @param keyTexts as {@linkcode encryptingCodec} takes them
 * @throws {MpcError} INVALID_ARGUMENT `PAYLOAD_KEY_INVALID`
 */
export async function encryptingConverter(keyTexts: string): Promise<DataConverter> {
  return {
    payloadCodecs: [await encryptingCodec(keyTexts)],
    failureConverterPath: FAILURE_CONVERTER,
  };
}

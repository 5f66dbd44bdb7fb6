import type { TlsFiles } from "@mpc/client";
import { CliError, EXIT, usageError } from "../errors/cli_error.ts";
import type { Host } from "../host/mod.ts";
import { type SettingName, SETTINGS } from "./settings.ts";

const NAMES = ["ca-file", "client-certificate", "client-key"] as const;

/**
 * Reads the files of the settings for TLS.
 * @returns undefined if no file is named
 * @throws {CliError} usage, if a file is not there or holds something else, or a certificate has no key
 */
export async function readTlsFiles(
  settings: Readonly<Record<SettingName, { readonly text: string; readonly origin: string }>>,
  host: Host,
): Promise<TlsFiles | undefined> {
  const [ca, certificate, key] = NAMES.map((name) => settings[name]);
  if (NAMES.every((name) => settings[name].text === "")) return undefined;
  if ((certificate?.text === "") !== (key?.text === "")) {
    const [given, missing] = certificate?.text ? NAMES.slice(1) : NAMES.slice(1).reverse();
    throw usageError(
      `Cannot use ${SETTINGS[given!].flag} alone: ${SETTINGS[missing!].flag} is missing`,
    );
  }
  const [caText, certificateText, keyText] = await Promise.all([
    read(host, ca, "CERTIFICATE"),
    read(host, certificate, "CERTIFICATE"),
    read(host, key, "PRIVATE KEY"),
  ]);
  return { ca: caText, certificate: certificateText, key: keyText };
}

async function read(
  host: Host,
  setting: { readonly text: string; readonly origin: string } | undefined,
  label: string,
): Promise<string | undefined> {
  if (!setting || setting.text === "") return undefined;
  const text = await host.readTextFile(setting.text);
  const problem = text === undefined
    ? "there is no such file"
    : /^-----BEGIN [A-Z ]+-----$/m.test(text) && text.includes(`${label}-----`)
    ? ""
    : `must be PEM with a ${label}`;
  if (problem === "") return text;
  throw new CliError(`Cannot use '${setting.text}' of ${setting.origin}: ${problem}`, {
    exitCode: EXIT.USAGE,
  });
}

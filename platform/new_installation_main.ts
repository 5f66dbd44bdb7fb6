/** Gives a copied database an installation id of its own: `deno task installation:new`. */
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { INSTALLATION, isMpcError } from "@mpc/domain";
import { systemClock, systemIds } from "@mpc/process";
import { openStore, withoutSecrets } from "@mpc/storage/open_store";
import { readCopyConfig, usageError } from "./config.ts";
import { newInstallation } from "./new_installation.ts";

async function main(args: readonly string[]): Promise<number> {
  try {
    const config = readCopyConfig(args);
    if (!config) return 0;
    await using stack = new AsyncDisposableStack();
    const store = await openStore(config.store, { shared: false });
    stack.defer(() => store.close());
    const present = (await store.installations.get(INSTALLATION))?.value.id ?? "none";
    if (!config.agreed && !await isAgreed(withoutSecrets(config.store), present)) {
      console.error("Nothing was changed");
      return 1;
    }
    const { before, after } = await newInstallation(store, { clock: systemClock, ids: systemIds });
    console.log(`installation ${after}${before === null ? "" : ` (before: ${before})`}`);
    return 0;
  } catch (error) {
    if (!isMpcError(error) || error.code === "INTERNAL") throw error;
    console.error(`Error: ${error.message}`);
    return error.code === "INVALID_ARGUMENT" ? 2 : 1;
  }
}

/** @throws {MpcError} INVALID_ARGUMENT `USAGE` if nobody can be asked */
async function isAgreed(store: string, present: string): Promise<boolean> {
  const what = `The database '${store}' has the installation id '${present}'. With a new one it ` +
    "gives up all objects that it has on clusters, and there is no way back.";
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw usageError(`nobody can be asked, so add --yes. ${what}`);
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${what} Continue? [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

process.exitCode = await main(process.argv.slice(2));

/** Gives a copied database an installation id of its own: `deno task installation:new`. */
import process from "node:process";
import { isMpcError } from "@mpc/domain";
import { systemClock, systemIds } from "@mpc/process";
import { openStore } from "@mpc/storage/open_store";
import { readCopyConfig } from "./config.ts";
import { newInstallation } from "./new_installation.ts";

async function main(args: readonly string[]): Promise<number> {
  try {
    const config = readCopyConfig(args);
    if (!config) return 0;
    await using stack = new AsyncDisposableStack();
    const store = await openStore(config.store, { shared: false });
    stack.defer(() => store.close());
    const { before, after } = await newInstallation(store, { clock: systemClock, ids: systemIds });
    console.log(`installation ${after}${before === null ? "" : ` (before: ${before})`}`);
    return 0;
  } catch (error) {
    if (!isMpcError(error) || error.code === "INTERNAL") throw error;
    console.error(`Error: ${error.message}`);
    return error.code === "INVALID_ARGUMENT" ? 2 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));

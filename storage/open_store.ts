import { resolve } from "node:path";
import { MpcError } from "@mpc/domain";
import type { Store } from "./store.ts";

export { withoutSecrets } from "./shared/without_secrets.ts";

export interface OpenStoreOptions {
  /**
   * Whether other processes may open the same store, all of them with `shared`. A MongoDB database
   * cannot be opened exclusively.
   */
  readonly shared?: boolean;
}

const SUPPORTED = "'memory:', 'sqlite:PATH' and 'mongodb://HOST/DATABASE'";

/**
 * Opens the store at an address, and loads only the adapter that it needs:
 * - `memory:` a store that ends with the process
 * - `sqlite:PATH` a SQLite file, created where it does not exist; its directory must exist. The
 *   path is a file path, not a URL: relative to the working directory or absolute, without escapes;
 *   `sqlite:///PATH` is accepted for an absolute path
 * - `mongodb://…`, `mongodb+srv://…` a database of a MongoDB server, with any option of a connection
 *   string; `mpc` where none is named. Processes of several machines may share it
 *
 * @throws {MpcError} INVALID_ARGUMENT `STORE_ADDRESS_INVALID`: the address is not supported, or its
 *   store cannot be shared; FAILED_PRECONDITION and DATA_LOSS as the adapter's own function
 */
export async function openStore(
  address: string,
  { shared = false }: OpenStoreOptions = {},
): Promise<Store> {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(address) ?? [];
  switch (scheme.toLowerCase()) {
    case "memory": {
      if (rest !== "") throw invalid("'memory:' has nothing after its colon");
      if (shared) throw invalid("processes cannot share 'memory:'; choose 'sqlite:PATH'");
      const { openMemoryStore } = await import("./memory/store.ts");
      return openMemoryStore();
    }
    case "sqlite": {
      const path = sqlitePath(rest);
      const { openSqliteStore } = await import("./sqlite/store.ts");
      return openSqliteStore({ path, shared });
    }
    case "mongodb":
    case "mongodb+srv": {
      const { openMongoStore } = await import("./mongodb/store.ts");
      return await openMongoStore({ address });
    }
    case "":
      throw invalid(`its address has no scheme; supported are ${SUPPORTED}`);
    default:
      // The rest of an address may contain a password.
      throw invalid(`'${scheme}:' is not supported; supported are ${SUPPORTED}`);
  }
}

/**
 * The path of the file at an address of a SQLite store; undefined for other addresses.
 * @throws {MpcError} INVALID_ARGUMENT `STORE_ADDRESS_INVALID`
 */
export function sqliteFileOf(address: string): string | undefined {
  const [, path] = /^sqlite:(.*)$/is.exec(address) ?? [];
  return path === undefined ? undefined : sqlitePath(path);
}

/**
 * The absolute path of a SQLite file, which SQLite mistakes neither for a URI nor for `:memory:`.
 */
function sqlitePath(written: string): string {
  if (written === "" || /^\/+$/.test(written)) {
    throw invalid("'sqlite:' lacks the path of its file, such as 'sqlite:data/mpc.db'");
  }
  if (written === ":memory:") throw invalid("'sqlite:' needs a file; choose 'memory:'");
  if (written.includes("\0")) throw invalid("the path after 'sqlite:' holds a NUL character");
  if (written.startsWith("~")) {
    throw invalid(
      "'~' is not expanded after 'sqlite:'; write the path in full, or './~' for a name",
    );
  }
  if (/^\/\/[^/]/.test(written)) {
    throw invalid("'sqlite://' names a host; write 'sqlite:PATH' or 'sqlite:///ABSOLUTE/PATH'");
  }
  return resolve(written.replace(/^\/\/+/, "/"));
}

const invalid = (why: string): MpcError =>
  new MpcError("INVALID_ARGUMENT", {
    reason: "STORE_ADDRESS_INVALID",
    message: `Cannot open the store: ${why}`,
  });

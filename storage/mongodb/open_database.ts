import { type CommandStartedEvent, type Db, MongoClient, type MongoClientOptions } from "mongodb";
import { isMpcError, MpcError } from "@mpc/domain";
import { CONNECTION_OPTIONS } from "./connection.ts";
import { storeError, withoutSecrets } from "./errors.ts";

/** The database of an address that names none. */
const DEFAULT_DATABASE = "mpc";

/** What an address need not say. A dead server fails a call within its deadline, not later. */
const DEFAULTS: Readonly<Record<string, MongoClientOptions>> = {
  appname: { appName: "mini-platform-control-plane" },
  connecttimeoutms: { connectTimeoutMS: 5_000 },
  serverselectiontimeoutms: { serverSelectionTimeoutMS: 5_000 },
  sockettimeoutms: { socketTimeoutMS: 10_000 },
  readconcernlevel: { readConcern: { level: "majority" } },
  w: { writeConcern: { w: "majority" } },
};

export interface OpenDatabase {
  readonly client: MongoClient;
  readonly database: Db;
  /** Why the server cannot be reached at present; undefined if it can. */
  readonly problem: () => unknown;
}

/**
 * Connects to the server of an address.
 * @throws {MpcError} INVALID_ARGUMENT `STORE_ADDRESS_INVALID`; FAILED_PRECONDITION
 *   `STORE_CREDENTIALS_REJECTED`, `STORE_WRONG_REPLICA_SET` or `STORE_SERVER_UNSUPPORTED`;
 *   UNAVAILABLE `STORE_UNAVAILABLE`
 */
export async function openDatabase(
  address: string,
  onCommand?: (command: CommandStartedEvent) => void,
): Promise<OpenDatabase> {
  const client = newClient(address, onCommand !== undefined);
  if (onCommand) client.on("commandStarted", onCommand);
  let problem: unknown;
  client.on("serverHeartbeatFailed", ({ failure }) => problem = failure);
  client.on("serverHeartbeatSucceeded", () => problem = undefined);
  try {
    await client.connect();
    const database = client.db(databaseOf(address));
    await database.command({ ping: 1 });
    return { client, database, problem: () => problem };
  } catch (error) {
    await client.close();
    throw storeError(error);
  }
}

function newClient(address: string, monitorCommands: boolean): MongoClient {
  const options = [...optionsOf(address)].map(([key, value]) => [key.toLowerCase(), value]);
  if (options.some(([key, value]) => key === "w" && value === "0")) {
    throw invalid("'w=0' would acknowledge writes that the server has not made; remove it");
  }
  const given = new Set(options.map(([key]) => key));
  const defaults = Object.entries(DEFAULTS).filter(([key]) => !given.has(key));
  try {
    return new MongoClient(address, {
      ...Object.assign({}, ...defaults.map(([, option]) => option)),
      ...CONNECTION_OPTIONS,
      // Repeated writes are told apart by their own ids, on servers without sessions too.
      retryWrites: false,
      readPreference: "primary",
      ignoreUndefined: true,
      monitorCommands,
    });
  } catch (error) {
    if (isMpcError(error)) throw error;
    throw invalid(error instanceof Error ? withoutSecrets(error.message) : "it cannot be parsed");
  }
}

/** The name of the database in an address. */
function databaseOf(address: string): string {
  const [, name = ""] = /^[a-z+]+:\/\/[^/?]*\/([^?]*)/i.exec(address) ?? [];
  return name === "" ? DEFAULT_DATABASE : decodeURIComponent(name);
}

/** The options that an address gives. */
function optionsOf(address: string): URLSearchParams {
  const at = address.indexOf("?");
  return new URLSearchParams(at < 0 ? "" : address.slice(at + 1));
}

const invalid = (why: string): MpcError =>
  new MpcError("INVALID_ARGUMENT", {
    reason: "STORE_ADDRESS_INVALID",
    message: `Cannot open the store: ${why}`,
  });

import {
  type CommandStartedEvent,
  type Db,
  MongoClient,
  type MongoClientOptions,
  MongoError,
} from "mongodb";
import { isMpcError, MpcError } from "@mpc/domain";
import { CONNECTION_OPTIONS } from "./connection.ts";
import { withoutSecrets } from "../shared/without_secrets.ts";
import { causesOf, storeError } from "./errors.ts";

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
  /** Whether the server has change streams: it belongs to a replica set or a sharded cluster. */
  readonly changeStreams: boolean;
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
  const name = databaseOf(address);
  const client = newClient(address, onCommand !== undefined);
  if (onCommand) client.on("commandStarted", onCommand);
  let problem: unknown;
  client.on("serverHeartbeatFailed", ({ failure }) => problem = failure);
  client.on("serverHeartbeatSucceeded", () => problem = undefined);
  try {
    await client.connect();
    const database = client.db(name);
    // The name of `hello` that every server knows.
    const { setName, msg } = await database.command({ isMaster: 1 });
    const changeStreams = setName !== undefined || msg === "isdbgrid";
    return { client, database, changeStreams, problem: () => problem };
  } catch (error) {
    await client.close();
    throw openError(error, address);
  }
}

/** The error of a store that cannot be opened, which says what to check. */
function openError(error: unknown, address: string): unknown {
  const translated = storeError(error);
  if (isMpcError(translated) && translated.reason !== "STORE_UNAVAILABLE") return translated;
  if (!(error instanceof Error)) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (!(error instanceof MongoError) && FILE_ERRORS.has(code)) {
    return invalid(`a file that the address names cannot be read: ${error.message}`, error);
  }
  // The driver passes errors of the name service on as they are.
  if (!isMpcError(translated) && code === "") return error;
  if ([...causesOf(error)].some((each) => each instanceof Deno.errors.NotCapable)) {
    return new MpcError("UNAVAILABLE", {
      reason: "STORE_UNAVAILABLE",
      message: `Cannot open the store: this process has no permission to connect to ` +
        `'${hostsOf(address)}'; start its main.ts with that host in --allow-net`,
      cause: error,
    });
  }
  return new MpcError("UNAVAILABLE", {
    reason: "STORE_UNAVAILABLE",
    message: `Cannot open the store: no MongoDB server answers at '${hostsOf(address)}' ` +
      `(${
        withoutSecrets(error.message)
      }); check that it runs, and that the address has its host, ` +
      "port and 'tls'",
    cause: error,
  });
}

const FILE_ERRORS: ReadonlySet<string> = new Set(["ENOENT", "EACCES", "EPERM", "EISDIR"]);

function newClient(address: string, monitorCommands: boolean): MongoClient {
  const options = [...optionsOf(address)].map(([key, value]) => [key.toLowerCase(), value]);
  if (options.some(([key, value]) => key === "w" && value === "0")) {
    throw invalid("'w=0' would acknowledge writes that the server has not made; remove it");
  }
  const given = new Set(options.map(([key]) => key));
  // A read of what a majority has would not see a write that fewer have acknowledged.
  if (options.some(([key, value]) => key === "w" && value !== "majority")) {
    given.add("readconcernlevel");
  }
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

/** What MongoDB rejects in the name of a database on any platform ("Limits", MongoDB manual). */
const NOT_IN_A_NAME = /[/\\. "$*<>:|?\0]/;
const MAX_NAME_BYTES = 63;
const OF_THE_SERVER: readonly string[] = ["admin", "config", "local"];

/**
 * The name of the database in an address.
 * @throws {MpcError} INVALID_ARGUMENT `STORE_ADDRESS_INVALID`
 */
function databaseOf(address: string): string {
  if ([...authorityOf(address)].filter((each) => each === "@").length > 1) {
    throw invalid("its user name or password contains '@'; write '%40' in its place");
  }
  const [, written = ""] = /^[a-z0-9+]+:\/\/[^/?]*\/([^?]*)/i.exec(address) ?? [];
  const name = decoded(written);
  if (name === "") return DEFAULT_DATABASE;
  const [character] = NOT_IN_A_NAME.exec(name) ?? [];
  if (character !== undefined) {
    throw invalid(
      `the name of its database contains '${character}'; use letters, digits, '-' and '_'`,
    );
  }
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
    throw invalid(`the name of its database is longer than ${MAX_NAME_BYTES} bytes`);
  }
  if (OF_THE_SERVER.includes(name)) {
    throw invalid(`'${name}' is a database of the server itself; choose another, such as 'mpc'`);
  }
  return name;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch (error) {
    throw invalid("the name of its database contains a '%' that no two hex digits follow", error);
  }
}

/** User name, password and hosts of an address. */
const authorityOf = (address: string): string =>
  /^[a-z0-9+]+:\/\/([^/?]*)/i.exec(address)?.[1] ?? "";

const hostsOf = (address: string): string => authorityOf(address).replace(/^.*@/, "");

/** The options that an address gives. */
function optionsOf(address: string): URLSearchParams {
  const at = address.indexOf("?");
  return new URLSearchParams(at < 0 ? "" : address.slice(at + 1));
}

const invalid = (why: string, cause?: unknown): MpcError =>
  new MpcError("INVALID_ARGUMENT", {
    reason: "STORE_ADDRESS_INVALID",
    message: `Cannot open the store: ${why}`,
    cause,
  });

import { BSON, MongoError, MongoServerError, MongoServerSelectionError } from "mongodb";
import { isMpcError, MpcError } from "@mpc/domain";
import { withoutSecrets } from "../shared/without_secrets.ts";

/**
 * Errors of a server that will go away by themselves, when there is a primary again ("Retryable
 * Writes" and "SDAM", MongoDB driver specifications).
 */
const TRANSIENT_CODES: ReadonlySet<number> = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  43, // CursorNotFound: the server was started again between two batches
  50, // MaxTimeMSExpired
  64, // WriteConcernTimeout
  89, // NetworkTimeout
  91, // ShutdownInProgress
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  175, // QueryPlanKilled
  189, // PrimarySteppedDown
  237, // CursorKilled
  262, // ExceededTimeLimit
  9001, // SocketException
  10058, // NotPrimary of old servers
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11602, // InterruptedDueToReplStateChange
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
]);

/** Errors of a connection, by the names that the driver gives them. */
const TRANSIENT_NAMES: ReadonlySet<string> = new Set([
  "MongoNetworkError",
  "MongoNetworkTimeoutError",
  "MongoPoolClearedError",
  "MongoPoolClosedError",
  "MongoWaitQueueTimeoutError",
  "MongoWriteConcernError",
  "MongoCursorExhaustedError",
  "MongoOperationTimeoutError",
  "MongoServerSelectionError",
]);

/** Errors of a client that is closed, or that never was connected. */
const CLOSED_NAMES: ReadonlySet<string> = new Set([
  "MongoClientClosedError",
  "MongoNotConnectedError",
  "MongoTopologyClosedError",
]);

/** `w` in the address asks for more than the replica set has. */
const WRITE_CONCERNS: readonly number[] = [
  79, // UnknownReplWriteConcern
  100, // UnsatisfiableWriteConcern
];
const UNAUTHORIZED = 13;
const COMMAND_NOT_FOUND = 59;
const AUTHENTICATION_FAILED = 18;
const DUPLICATE_KEY = 11_000;
const OUT_OF_DISK = 14_031;
const TOO_LARGE: readonly number[] = [10_334, 17_419, 17_420];
const CHECKSUM_MISMATCH = 199;

/** Why a certificate is not accepted, by the codes of `node:tls`; Deno knows only some of them. */
const CERTIFICATE_CODES = /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_)/;

/** Whether an error says that a unique key is taken. */
export const isDuplicate = (error: unknown): boolean =>
  error instanceof MongoServerError && error.code === DUPLICATE_KEY;

/** Whether the same call may succeed in a moment. The call may have been executed. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof MongoError)) return false;
  if (permanentError(error)) return false;
  if (error.hasErrorLabel("RetryableWriteError")) return true;
  if (TRANSIENT_NAMES.has(error.name)) return true;
  return typeof error.code === "number" && TRANSIENT_CODES.has(error.code);
}

/** Translates an error of the driver into the port's; passes others through. */
export function storeError(error: unknown): unknown {
  if (isMpcError(error) || !(error instanceof MongoError)) return error;
  const permanent = permanentError(error);
  if (permanent || !(isTransient(error) || CLOSED_NAMES.has(error.name))) return permanent ?? error;
  return new MpcError("UNAVAILABLE", {
    reason: "STORE_UNAVAILABLE",
    message: `Cannot use the database: ${withoutSecrets(error.message)}`,
    cause: error,
  });
}

/** The error of a call that is not worth repeating: somebody has to act. */
function permanentError(error: MongoError): MpcError | undefined {
  const messages = [...messagesOf(error)];
  const says = (pattern: RegExp) => messages.find((message) => pattern.test(message));
  const code = codesOf(error);
  if (code.has(AUTHENTICATION_FAILED) || says(/authentication failed|auth failed/i)) {
    return new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_CREDENTIALS_REJECTED",
      message: "Cannot use the database: it rejects the user name or the password; " +
        "correct the address, or its authSource",
      cause: error,
    });
  }
  if (code.has(UNAUTHORIZED) || says(/requires authentication|not authorized/i)) {
    return new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_CREDENTIALS_REJECTED",
      message: "Cannot use the database: it lets only users with the role 'readWrite' do that; " +
        "name such a user in the address, as in mongodb://USER:PASSWORD@HOST/DATABASE",
      cause: error,
    });
  }
  const rejected = [...causesOf(error)].find((each) =>
    "code" in each && typeof each.code === "string" && CERTIFICATE_CODES.test(each.code)
  );
  if (rejected) {
    return new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_CERTIFICATE_REJECTED",
      message: `Cannot use the database: its server's certificate is not accepted ` +
        `(${
          withoutSecrets(rejected.message)
        }): it has expired, is for another host, or is signed ` +
        "by another authority than 'tlsCAFile' of the address names; correct the address, or renew " +
        "the certificate",
      cause: error,
    });
  }
  if (foundNoMember(error)) {
    return new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_WRONG_REPLICA_SET",
      message: `Cannot use the database: the server is of another replica set than the address ` +
        "names, or of none; correct 'replicaSet' in the address",
      cause: error,
    });
  }
  const old = says(/wire version/i) ??
    (code.has(COMMAND_NOT_FOUND) ? `the server lacks a command: ${error.message}` : undefined);
  if (old) {
    return new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_SERVER_UNSUPPORTED",
      message: `Cannot use the database: ${withoutSecrets(old)}`,
      cause: error,
    });
  }
  if (code.has(OUT_OF_DISK) || says(/no space left|out of disk/i)) {
    return new MpcError("RESOURCE_EXHAUSTED", {
      reason: "STORE_FULL",
      message: "Cannot write to the database: no room is left on its disk",
      cause: error,
    });
  }
  if (WRITE_CONCERNS.some((each) => code.has(each))) {
    return new MpcError("INVALID_ARGUMENT", {
      reason: "STORE_ADDRESS_INVALID",
      message: "Cannot use the database: the replica set cannot satisfy 'w' of the address: " +
        withoutSecrets(error.message),
      cause: error,
    });
  }
  if (TOO_LARGE.some((each) => code.has(each))) return tooLarge("a document", error);
  if (code.has(CHECKSUM_MISMATCH)) {
    return new MpcError("DATA_LOSS", {
      reason: "STORE_CORRUPT",
      message: `Cannot read the database: ${withoutSecrets(error.message)}`,
      cause: error,
    });
  }
  return undefined;
}

/** What MongoDB stores in one document, less some room for the fields around it. */
const LARGEST_BYTES = 16 * 1024 * 1024 - 1_024;

/** @throws {MpcError} INVALID_ARGUMENT `DOCUMENT_TOO_LARGE` */
export function assertFits(name: string, document: BSON.Document): void {
  if (BSON.calculateObjectSize(document) > LARGEST_BYTES) throw tooLarge(`'${name}'`);
}

/** The error of a document that MongoDB cannot store, together with its events. */
const tooLarge = (what: string, cause?: unknown): MpcError =>
  new MpcError("INVALID_ARGUMENT", {
    reason: "DOCUMENT_TOO_LARGE",
    message: `Cannot write ${what}: with its events it is larger than 16 MB, which is the most ` +
      "that MongoDB stores in one document",
    cause,
  });

/** The error of a write whose answer was lost, and that may have been made. */
export const outcomeUnknown = (name: string, cause: unknown): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "STORE_UNAVAILABLE",
    message: `Cannot tell whether '${name}' was changed: the database did not answer`,
    metadata: { name },
    cause,
  });

/** Whether no server that answered is of the replica set that the address names. */
function foundNoMember(error: MongoError): boolean {
  if (!(error instanceof MongoServerSelectionError)) return false;
  const { reason } = error;
  return reason !== undefined && reason.setName !== null && reason.servers.size === 0;
}

/** The messages of an error, its causes, and of the servers that could not be selected. */
function* messagesOf(error: Error): Generator<string> {
  for (const each of causesOf(error)) yield each.message;
}

function codesOf(error: Error): ReadonlySet<number> {
  const codes = new Set<number>();
  for (const each of causesOf(error)) {
    if ("code" in each && typeof each.code === "number") codes.add(each.code);
  }
  return codes;
}

/** An error, its causes, and those of the servers that could not be selected. */
export function* causesOf(error: Error, depth = 0): Generator<Error> {
  if (depth > 4) return;
  yield error;
  if (error.cause instanceof Error) yield* causesOf(error.cause, depth + 1);
  // What a server selection found out about each server.
  const servers: unknown = "reason" in error && typeof error.reason === "object" &&
      error.reason !== null && "servers" in error.reason
    ? error.reason.servers
    : undefined;
  if (!(servers instanceof Map)) return;
  for (const server of servers.values()) {
    if (server?.error instanceof Error) yield* causesOf(server.error, depth + 1);
  }
}

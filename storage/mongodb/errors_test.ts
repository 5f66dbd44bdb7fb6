/** What errors of the driver become, as servers and networks cause them. */
import assert from "node:assert/strict";
import { MongoNetworkError, MongoServerError } from "mongodb";
import { isMpcError } from "@mpc/domain";
import { isTransient, storeError } from "./errors.ts";

const fromServer = (code: number, message: string) => new MongoServerError({ code, message });

const ROWS: readonly (readonly [Error, code: string, reason: string, transient: boolean])[] = [
  [new MongoNetworkError("read ECONNRESET"), "UNAVAILABLE", "STORE_UNAVAILABLE", true],
  [fromServer(10107, "not primary"), "UNAVAILABLE", "STORE_UNAVAILABLE", true],
  [fromServer(189, "stepped down"), "UNAVAILABLE", "STORE_UNAVAILABLE", true],
  [fromServer(11600, "going down"), "UNAVAILABLE", "STORE_UNAVAILABLE", true],
  [fromServer(64, "waiting for replication timed out"), "UNAVAILABLE", "STORE_UNAVAILABLE", true],
  [
    fromServer(18, "Authentication failed."),
    "FAILED_PRECONDITION",
    "STORE_CREDENTIALS_REJECTED",
    false,
  ],
  [
    fromServer(13, "not authorized on mpc to execute command"),
    "FAILED_PRECONDITION",
    "STORE_CREDENTIALS_REJECTED",
    false,
  ],
  [fromServer(14031, "available disk space below"), "RESOURCE_EXHAUSTED", "STORE_FULL", false],
  [
    new MongoNetworkError("closed", {
      cause: fromServer(14031, "No space left on device"),
    }),
    "RESOURCE_EXHAUSTED",
    "STORE_FULL",
    false,
  ],
  [fromServer(10334, "BSONObj size is invalid"), "INVALID_ARGUMENT", "DOCUMENT_TOO_LARGE", false],
  [
    fromServer(17419, "Resulting document too large"),
    "INVALID_ARGUMENT",
    "DOCUMENT_TOO_LARGE",
    false,
  ],
  [fromServer(199, "checksum mismatch"), "DATA_LOSS", "STORE_CORRUPT", false],
  [
    new MongoNetworkError(
      "Server at db:1 reports maximum wire version 7, but this version needs 8",
    ),
    "FAILED_PRECONDITION",
    "STORE_SERVER_UNSUPPORTED",
    false,
  ],
];

for (const [error, code, reason, transient] of ROWS) {
  Deno.test(`mongodb: '${error.message}' is ${reason}, ${transient ? "transient" : "permanent"}`, () => {
    const found = storeError(error);
    assert.ok(isMpcError(found));
    assert.deepEqual([found.code, found.reason], [code, reason]);
    assert.equal(found.cause, error);
    assert.equal(isTransient(error), transient);
  });
}

Deno.test("mongodb: a server that refuses writes is transient if it says so", () => {
  const error = fromServer(1, "something new");
  assert.equal(isTransient(error), false);
  error.addErrorLabel("RetryableWriteError");
  assert.equal(isTransient(error), true);
});

Deno.test("mongodb: the password of an address is in no message", () => {
  const error = new MongoNetworkError("cannot connect to mongodb://ann:s3cret@db:27017/mpc");
  const found = storeError(error);
  assert.ok(isMpcError(found));
  assert.match(found.message, /mongodb:\/\/\*\*\*@db:27017/);
});

Deno.test("mongodb: errors that are bugs of ours pass through", () => {
  for (const error of [new TypeError("a bug"), fromServer(9, "cannot parse the query")]) {
    assert.equal(storeError(error), error);
    assert.equal(isTransient(error), false);
  }
});

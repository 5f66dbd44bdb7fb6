import assert from "node:assert/strict";
import { resolve } from "node:path";
import { dataOf } from "./data_flags.ts";

const dataDir = "data";

Deno.test("records are in a SQLite file of the data directory, unless an address is given", () => {
  const file = `sqlite:${resolve(dataDir, "mpc.db")}`;
  assert.deepEqual(dataOf({ dataDir }), { store: file, dataDir, encryptionKeys: null });
  const store = "sqlite:/elsewhere/records.db";
  assert.deepEqual(dataOf({ dataDir, store }), { store, dataDir, encryptionKeys: null });
});

Deno.test("with a store in memory everything is in memory, and so it is if ephemeral", () => {
  const nothing = { store: "memory:", dataDir: null, encryptionKeys: null };
  assert.deepEqual(dataOf({ dataDir, store: "memory:" }), nothing);
  assert.deepEqual(dataOf({ dataDir, store: "sqlite:records.db" }, true), nothing);
});

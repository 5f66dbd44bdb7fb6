import assert from "node:assert/strict";
import { join } from "node:path";
import config from "../deno.json" with { type: "json" };
import { brokenEdges, environmentReaders, readSources } from "./rooms.ts";

const files = await readSources(join(import.meta.dirname!, ".."));

Deno.test("rooms import one way", () => {
  assert.ok(files.length > 100, "the sources were found");
  assert.deepEqual(brokenEdges(files, config.imports), []);
});

Deno.test("only config.ts files read the environment", () => {
  assert.deepEqual(environmentReaders(files), []);
});

Deno.test("a broken edge is named", () => {
  const planted = [
    { path: "cli/x.ts", text: 'import { MpcError } from "@mpc/domain";\n' },
    { path: "services/x.ts", text: 'import type {\n  Store,\n} from "@mpc/storage/sqlite";\n' },
    { path: "domain/x.ts", text: 'export * from "../tests/rooms.ts";\n' },
    { path: "worker/x.ts", text: 'const { x } = await import("@mpc/api");\n' },
    { path: "api/main.ts", text: 'import { openSqliteStore } from "@mpc/storage/sqlite";\n' },
    { path: "worker/y.ts", text: 'import { openStore } from "@mpc/storage/open_store";\n' },
    { path: "storage/open_store.ts", text: 'await import("./sqlite/store.ts")' },
    { path: "storage/x.ts", text: 'await import("./sqlite/store.ts")' },
    { path: "storage/memory/x.ts", text: 'import { x } from "../sqlite/store.ts";\n' },
    { path: "storage/memory/y.ts", text: 'import { x } from "../shared/order.ts";\n' },
  ];
  assert.deepEqual(brokenEdges(planted, config.imports), [
    "cli/x.ts → domain/mod.ts: cli may import client, proto only",
    "services/x.ts → storage/sqlite/store.ts: only the ports of storage",
    "domain/x.ts → tests/rooms.ts: nothing imports tests",
    "worker/x.ts → api/mod.ts: worker may import services, domain, storage, process only",
    "worker/y.ts → storage/open_store.ts: only the ports of storage",
    "storage/x.ts → storage/sqlite/store.ts: only open_store.ts imports adapters",
    "storage/memory/x.ts → storage/sqlite/store.ts: adapters import the ports, shared/ and their own files only",
  ]);
});

Deno.test("a reader of the environment is named", () => {
  const planted = [{ path: "api/x.ts", text: 'process.env["HOME"]' }];
  assert.deepEqual(environmentReaders(planted), ["api/x.ts"]);
});

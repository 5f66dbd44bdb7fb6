import assert from "node:assert/strict";
import { join } from "node:path";
import config from "../deno.json" with { type: "json" };
import { cyclesOf, readModule } from "./module_graph.ts";
import {
  brokenEdges,
  environmentReaders,
  outsideRooms,
  readSources,
  unlistedStarts,
} from "./rooms.ts";

const read = (files: Readonly<Record<string, string>>) =>
  Object.entries(files).map(([path, text]) => readModule({ path, text }, config.imports));

const sources = await readSources(join(import.meta.dirname!, ".."));
const modules = sources.map((source) => readModule(source, config.imports));

Deno.test("rooms import one way", () => {
  assert.ok(modules.length > 100, "the sources were found");
  assert.deepEqual(brokenEdges(modules), []);
});

Deno.test("every source file is in a room", () => {
  assert.deepEqual(outsideRooms(modules), []);
});

Deno.test("a file in no room is named, and only a room's own main.ts wires adapters", () => {
  assert.deepEqual(outsideRooms(read({ "tools/x.ts": "", "x.ts": "", "api/x.ts": "" })), [
    "tools/x.ts",
    "x.ts",
  ]);
  assert.deepEqual(brokenEdges(read({ "api/grpc/main.ts": 'import "@mpc/storage/sqlite";' })), [
    "api/grpc/main.ts → storage/sqlite/store.ts: api may import proto, services, domain, process only",
  ]);
});

Deno.test("there are no import cycles, types included", () => {
  assert.deepEqual(cyclesOf(modules), []);
});

Deno.test("every relative import is a file that was read", () => {
  const known = new Set(modules.map(({ path }) => path));
  const missing = modules.flatMap(({ path, imports }) =>
    imports.filter(({ target }) => target && /\.tsx?$/.test(target) && !known.has(target))
      .map(({ target }) => `${path} → ${target}`)
  );
  assert.deepEqual(missing, []);
});

Deno.test("only listed files of the product start programs", () => {
  assert.deepEqual(unlistedStarts(modules), []);
});

Deno.test("only tasks for tests run tests", () => {
  const forTests = /^(?:test|mutate|bench|histories)(?::|$)/;
  const tasks = Object.entries(config.tasks).filter(([name]) => !forTests.test(name));
  assert.deepEqual(tasks.filter(([, command]) => command.includes("tests/")), []);
});

Deno.test("only config.ts files read the environment", () => {
  assert.deepEqual(environmentReaders(modules), []);
});

Deno.test("a broken edge is named", () => {
  const planted = read({
    "cli/x.ts": 'import { MpcError } from "@mpc/domain";',
    "services/x.ts": 'import type {\n  Store,\n} from "@mpc/storage/sqlite";',
    "services/y.ts": 'type Store = import("@mpc/storage/sqlite").Store;',
    "domain/x.ts": 'export * from "../tests/rooms.ts";',
    "domain/y.ts": 'import "@mpc/tests/rooms.ts";',
    "domain/z.ts": '/// <reference path="../tests/rooms.ts" />\n',
    "worker/x.ts": 'const { x } = await import("@mpc/api");',
    "worker/y.ts": 'import { openStore } from "@mpc/storage/open_store";',
    "worker/z.ts": 'const x = require("../api/mod.ts");',
    "api/main.ts": 'import { openSqliteStore } from "@mpc/storage/sqlite";',
    "storage/open_store.ts": 'await import("./sqlite/store.ts")',
    "storage/x.ts": "await import(`./sqlite/store.ts`)",
    "storage/memory/x.ts": 'import { x } from "../sqlite/store.ts";',
    "storage/memory/y.ts": 'import { x } from "../shared/order.ts";',
    "worker/comment.ts": '// import { x } from "@mpc/api";\nconst x = \'import "@mpc/api"\';',
    "worker/x_test.ts": 'import "../tests/rooms.ts"; new Worker("../tests/rooms.ts");',
  });
  assert.deepEqual(brokenEdges(planted), [
    "cli/x.ts → domain/mod.ts: cli may import client, proto only",
    "services/x.ts → storage/sqlite/store.ts: only the ports of storage",
    "services/y.ts → storage/sqlite/store.ts: only the ports of storage",
    "domain/x.ts → tests/rooms.ts: nothing imports tests",
    "domain/y.ts → tests/rooms.ts: nothing imports tests",
    "domain/z.ts → tests/rooms.ts: nothing imports tests",
    "worker/x.ts → api/mod.ts: worker may import services, domain, storage, process only",
    "worker/y.ts → storage/open_store.ts: only the ports of storage",
    "worker/z.ts → api/mod.ts: across rooms imports use the import map's alias",
    "storage/x.ts → storage/sqlite/store.ts: only open_store.ts imports adapters",
    "storage/memory/x.ts → storage/sqlite/store.ts: adapters import the ports, shared/ and their own files only",
  ]);
});

Deno.test("a file that is named in a string is an edge", () => {
  const planted = read({
    "api/mod.ts": "",
    "worker/mod.ts": "",
    "api/a.ts": 'new URL("../tests/servers/x.ts", import.meta.url);',
    "api/b.ts": 'new Deno.Command("deno", { args: ["run", "tests/servers/x.ts"] });',
    "api/c.ts": 'new Worker(new URL("../tests/x.ts", import.meta.url));',
    "api/d.ts": "const path = (name: string) => `../tests/${name}.ts`;",
    "api/e.ts": 'join(root, "tests", "servers", "x.ts");',
    "api/f.ts": 'import.meta.resolve("@mpc/tests/x.ts");',
    "worker/g.ts": 'new URL("../api/mod.ts", import.meta.url);',
    "worker/h.ts": 'spawn("deno", ["run", "api/mod.ts"]);',
    "api/i.ts": 'new URL("./mod.ts", import.meta.url);',
    "api/j.ts": 'const text = "he tests/contests and protests";',
  });
  assert.deepEqual(brokenEdges(planted), [
    "api/a.ts → ../tests/servers/x.ts: nothing names tests",
    "api/b.ts → tests/servers/x.ts: nothing names tests",
    "api/c.ts → ../tests/x.ts: nothing names tests",
    "api/d.ts → ../tests/: nothing names tests",
    "api/e.ts → tests: nothing names tests",
    "api/f.ts → @mpc/tests/x.ts: nothing names tests",
    "worker/g.ts → api/mod.ts: worker may import services, domain, storage, process only",
    "worker/h.ts → api/mod.ts: worker may import services, domain, storage, process only",
    "api/j.ts → he tests/contests and protests: nothing names tests",
  ]);
});

Deno.test("a computed import is rejected", () => {
  const planted = read({
    "api/x.ts": "await import(`./${name}.ts`);",
    "api/y.ts": 'const load = require("./" + name);',
    "api/z.ts": 'await import("./x.ts");',
  });
  assert.deepEqual(brokenEdges(planted), [
    "api/x.ts → ?: an import that only the running program knows",
    "api/y.ts → ?: an import that only the running program knows",
  ]);
});

Deno.test("a file that starts a program or a worker is named", () => {
  const planted = read({
    "proto/buf.ts": 'new Deno.Command("buf");',
    "cli/build/bundle.ts": "const nothing = 1;",
    "cli/build/compile.ts": "new Worker(url);",
    "worker/a.ts": "new globalThis.Deno.Command(program);",
    "worker/b.ts": 'import { spawn } from "node:child_process"; spawn(program);',
    "worker/c.ts": 'import * as child from "node:child_process"; child.execFile(program);',
    "worker/d.ts": 'import { fork as start } from "node:child_process"; start(program);',
    "worker/e.ts": 'import { Worker } from "node:worker_threads";',
    "worker/f.ts": "new Worker(url);",
    "worker/g.ts": "function spawn() {} spawn();",
  });
  assert.deepEqual(unlistedStarts(planted), [
    "cli/build/compile.ts starts Worker",
    "worker/a.ts starts globalThis.Deno.Command",
    "worker/b.ts starts spawn",
    "worker/c.ts starts child.execFile",
    "worker/d.ts starts start",
    "worker/e.ts starts Worker",
    "worker/f.ts starts Worker",
    "cli/build/bundle.ts is listed and starts nothing",
  ]);
});

Deno.test("a cycle is named, whatever kind of imports it consists of", () => {
  const planted = read({
    "api/a.ts": 'import { b } from "./b.ts";',
    "api/b.ts": 'export * from "./c.ts";',
    "api/c.ts": 'import type { A } from "./a.ts";',
    "api/d.ts": 'import "./c.ts"; type E = import("./e.ts").E;',
    "api/e.ts": 'await import("./d.ts");',
    "api/f.ts": 'import "./a.ts"; import "./d.ts"; import "npm:zod";',
    "api/g.ts": 'export { g } from "./g.ts";',
  });
  assert.deepEqual(cyclesOf(planted), [
    ["api/a.ts", "api/b.ts", "api/c.ts"],
    ["api/d.ts", "api/e.ts"],
    ["api/g.ts"],
  ]);
});

Deno.test("a reader of the environment is named", () => {
  const planted = read({
    "api/a.ts": 'process.env["HOME"];',
    "api/b.ts": 'Deno.env.get("HOME");',
    "api/c.ts": 'globalThis.Deno["env"].get("HOME");',
    "api/d.ts": 'import { env as all } from "node:process";',
    "api/e.ts": "const { env } = Deno;",
    "api/config.ts": "process.env;",
    "api/f.ts": "const env = options.env; // process.env",
  });
  assert.deepEqual(environmentReaders(planted), [
    "api/a.ts",
    "api/b.ts",
    "api/c.ts",
    "api/d.ts",
    "api/e.ts",
  ]);
});

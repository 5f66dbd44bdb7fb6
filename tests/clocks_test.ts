import assert from "node:assert/strict";
import { join } from "node:path";
import { clockReaders, idleEntries } from "./clocks.ts";
import { readSources } from "./rooms.ts";

const files = await readSources(join(import.meta.dirname!, ".."));

Deno.test("time is read from the clock port, but for the listed files", () => {
  assert.ok(files.length > 100, "the sources were found");
  assert.deepEqual(clockReaders(files), []);
});

Deno.test("every listed file reads the clock that it is listed for", () => {
  assert.deepEqual(idleEntries(files), []);
});

Deno.test("a reader of a clock is named", () => {
  const planted = [
    { path: "services/x.ts", text: "const now = Date.now();" },
    { path: "domain/x.ts", text: "const now = new Date();" },
    { path: "worker/x.ts", text: "setTimeout(() => {}, 1);" },
    { path: "storage/memory/x.ts", text: "const now = performance.now;" },
    { path: "api/x.ts", text: "const signal = AbortSignal.timeout(1);" },
    { path: "api/y.ts", text: "const end = Date.now() + 1;" },
    { path: "services/y.ts", text: "socket.setTimeout(1); new Date(clock.now());" },
    { path: "services/x_test.ts", text: "Date.now()" },
  ];
  assert.deepEqual(clockReaders(planted), [
    "services/x.ts: wall",
    "domain/x.ts: wall",
    "worker/x.ts: monotonic",
    "storage/memory/x.ts: monotonic",
    "api/y.ts: wall",
  ]);
});

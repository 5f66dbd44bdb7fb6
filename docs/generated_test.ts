import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { GENERATED } from "./generated.ts";

for (const [path, page] of Object.entries(GENERATED)) {
  Deno.test(`docs/${path} matches the code (otherwise run 'deno task docs')`, async () => {
    assert.equal(await readFile(new URL(path, import.meta.url), "utf8"), await page());
  });
}

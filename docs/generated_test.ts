import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GENERATED } from "./generated.ts";

for (const [path, page] of Object.entries(GENERATED)) {
  Deno.test(`${join("docs", path)} is what the code gives now (else run 'deno task docs')`, async () => {
    assert.equal(await readFile(new URL(path, import.meta.url), "utf8"), await page());
  });
}

/** Writes the pages that are generated from code: `deno task docs`. */
import { writeFile } from "node:fs/promises";
import { GENERATED } from "./generated.ts";

for (const [path, page] of Object.entries(GENERATED)) {
  await writeFile(new URL(path, import.meta.url), await page());
}

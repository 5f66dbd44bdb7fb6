import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";

const FOLDER = new URL("../golden/", import.meta.url);

/** Texts that differ from run to run, and their replacements. */
const VARIES: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uuid>"],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>"],
  [/\b[0-9a-f]{12}-\d+\b/g, "<etag>"],
  [/\(\d[\d.msh ]*\)/g, "(<took>)"],
  [/(Plan hash: )\S+/g, "$1<hash>"],
  [/ {2,}\d+s$/gm, "   <age>"],
  // A running copy prints one more line every five seconds.
  [/^\S+ served \d+ requests\n/gm, ""],
  // Which running steps a watcher sees is random.
  [/^(\S+: )?[▸↶] .*\n/gm, ""],
  [/http:\/\/127\.0\.0\.1:\d{4,5}/g, "<server>"],
];

/** Asserts that a text equals its golden file; `UPDATE_GOLDEN=1` writes the file. */
export async function assertGolden(name: string, text: string): Promise<void> {
  const stable = VARIES.reduce((text, [pattern, name]) => text.replaceAll(pattern, name), text);
  const file = new URL(name, FOLDER);
  if (Deno.env.get("UPDATE_GOLDEN")) {
    await mkdir(new URL(".", file), { recursive: true });
    await writeFile(file, stable);
  }
  const golden = await readFile(file, "utf8");
  assert.equal(stable, golden, `it differs from tests/golden/${name}; UPDATE_GOLDEN=1 accepts it`);
}

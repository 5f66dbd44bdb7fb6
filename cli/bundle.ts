/** Bundles mpctl into one JavaScript file that Deno and Node 20 run: `deno task bundle [FILE]`. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

const here = import.meta.dirname!;

/** Built-in modules whose default import is turned into one that loads when it is first used. */
const LAZY = /import (\w+) from"(node:(?:child_process|fs|path))"/g;

/** The same for the one function that is imported by name. */
const LAZY_FUNCTION = /import\{(stripVTControlCharacters) as (\w+)\}from"(node:util)"/g;

/** @throws where the bundler fails, with what it said */
export async function bundleMpctl(output: string): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "deno", "--minify"],
      ...["--output", output, join(here, "main.ts")],
    ],
    cwd: join(here, ".."),
  }).output();
  if (code !== 0) throw new Error(`Cannot bundle mpctl: ${new TextDecoder().decode(stderr)}`);
  const text = await readFile(output, "utf8");
  // A bundle hoists every import to its top, also those that only Commander's rarest features
  // need: loading them takes as long as all the rest of 'mpctl version'.
  const lazy = text.replaceAll(
    LAZY,
    (_, name, module) =>
      `const ${name}=new Proxy({},{get:(_,k)=>globalThis.process.getBuiltinModule("${module}")[k]})`,
  );
  const all = lazy.replaceAll(
    LAZY_FUNCTION,
    (_, imported, name, module) =>
      `const ${name}=(...a)=>globalThis.process.getBuiltinModule("${module}").${imported}(...a)`,
  );
  await writeFile(output, all);
}

if (import.meta.main) await bundleMpctl(process.argv[2] ?? join(here, "..", "dist", "mpctl.js"));

/** The mutants fit the code as it is; `deno task mutate` runs them. */
import assert from "node:assert/strict";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { MUTANTS } from "./mutants/mod.ts";

const ROOT = join(import.meta.dirname!, "../..");

Deno.test("every mutant changes a text that occurs once, and has tests", async () => {
  assert.ok(MUTANTS.length >= 60, `${MUTANTS.length} mutants`);
  const stale: string[] = [];
  for (const { file, fault, find, replace, tests } of MUTANTS) {
    const places = (await readFile(join(ROOT, file), "utf8")).split(find).length - 1;
    if (places !== 1) stale.push(`${file}: ${fault}: its text occurs ${places} times`);
    if (replace === find) stale.push(`${file}: ${fault}: changes nothing`);
    if (tests.length === 0) stale.push(`${file}: ${fault}: has no tests`);
  }
  assert.deepEqual(stale, []);
});

Deno.test("the tests of mutants exist", async () => {
  for (const path of new Set(MUTANTS.flatMap(({ tests }) => tests))) await access(join(ROOT, path));
});

Deno.test("no two mutants are the same", () => {
  const all = MUTANTS.map(({ file, find, replace }) => JSON.stringify([file, find, replace]));
  assert.deepEqual(all.filter((mutant, index) => all.indexOf(mutant) !== index), []);
});

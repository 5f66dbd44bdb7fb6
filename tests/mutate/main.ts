/**
 * `deno task mutate`: puts one fault after another into a copy of the code and runs the tests that
 * own that code; a fault that no test notices is a failure.
 *
 * Options: `--only TEXT` (in the file or the fault), `--sample N` with `--seed S`, `--jobs N`.
 */
import { parseArgs } from "node:util";
import { SeededIds } from "../fakes/seeded_ids.ts";
import type { Mutant } from "./mutant.ts";
import { MUTANTS } from "./mutants/mod.ts";
import { type Result, SourceCopy } from "./source_copy.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    sample: { type: "string" },
    seed: { type: "string" },
    jobs: { type: "string", default: String(navigator.hardwareConcurrency) },
  },
});

/** A sample of the mutants, the same for the same seed. */
function sampleOf(mutants: readonly Mutant[], count: number, seed: number): readonly Mutant[] {
  const random = new SeededIds(seed);
  return mutants.map((mutant) => ({ mutant, place: random.random() }))
    .sort((a, b) => a.place - b.place)
    .slice(0, count)
    .map(({ mutant }) => mutant);
}

function chosen(): readonly Mutant[] {
  const matching = MUTANTS.filter(({ file, fault }) => `${file} ${fault}`.includes(values.only));
  if (values.sample === undefined) return matching;
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`--sample ${values.sample} --seed ${seed}`);
  return sampleOf(matching, Number(values.sample), seed);
}

/** Asserts that the tests pass without a mutant: otherwise they would kill every one. */
async function assertPass(copy: SourceCopy, mutants: readonly Mutant[]): Promise<void> {
  const output = await copy.failureOf([...new Set(mutants.flatMap(({ tests }) => tests))]);
  if (output === undefined) return;
  console.error(output);
  throw new Error("Cannot try mutants: their tests fail on the code as it is");
}

function line({ file, fault }: Mutant, { verdict, output }: Result, ms: number): string {
  const why = verdict === "stale" ? `: ${output}` : "";
  return `${verdict.padEnd(9)} ${file}: ${fault} (${(ms / 1_000).toFixed(1)} s)${why}`;
}

const start = performance.now();
const mutants = chosen();
const waiting = [...mutants];
let passed = 0;
const failures: string[] = [];

async function work(copy: SourceCopy): Promise<void> {
  for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
    const begun = performance.now();
    const result = await copy.try(mutant);
    const told = line(mutant, result, performance.now() - begun);
    console.log(told);
    if (result.verdict === "killed" || result.verdict === "timed out") passed++;
    else failures.push(result.verdict === "invalid" ? `${told}\n${result.output}` : told);
  }
}

await using stack = new AsyncDisposableStack();
const copies = await Promise.all(
  Array.from({ length: Number(values.jobs) }, () => SourceCopy.make(ROOT)),
);
for (const copy of copies) stack.use(copy);
await assertPass(copies[0]!, mutants);
await Promise.all(copies.map(work));
if (failures.length > 0) console.log(`\n ERRORS\n\n${failures.join("\n")}\n`);
const failed = failures.length > 0 || passed === 0;
const seconds = Math.round((performance.now() - start) / 1_000);
console.log(
  `${failed ? "FAILED" : "ok"} | ${passed} passed | ${failures.length} failed (${seconds}s)`,
);
Deno.exitCode = failed ? 1 : 0;

/**
 * Runs the benchmarks: `deno task bench [name …] [--check]`. Prints a table and writes
 * `bench.json`; with `--check` exits with 1 if a target is missed.
 */
import { writeFile } from "node:fs/promises";
import { arch, cpus, platform } from "node:os";
import { renderTable } from "../../cli/output/table.ts";
import { type BenchRow, reached } from "./bench_row.ts";

const SUITES: Readonly<Record<string, () => Promise<{ run(): Promise<BenchRow[]> }>>> = {
  startup: () => import("./startup_bench.ts"),
  store: () => import("./store_bench.ts"),
  audit: () => import("./audit_bench.ts"),
  mongodb: () => import("./mongodb_bench.ts"),
  operations: () => import("./operations_bench.ts"),
  engine: () => import("./engine_bench.ts"),
  doors: () => import("./doors_bench.ts"),
  authentication: () => import("./authentication_bench.ts"),
  telemetry: () => import("./telemetry_bench.ts"),
  events: () => import("./events_bench.ts"),
  fan_out: () => import("./fan_out_bench.ts"),
  temporal: () => import("./temporal_bench.ts"),
  cli: () => import("./cli_bench.ts"),
  ui: () => import("./ui_bench.ts"),
  cluster: () => import("./cluster_bench.ts"),
};

/** Run only if named: they need a machine that can run a cluster, Java and Maven, or Chromium. */
const BY_NAME: readonly string[] = ["cluster", "mongodb", "ui"];

const check = Deno.args.includes("--check");
const wanted = Deno.args.filter((arg) => arg !== "--check");
const unknown = wanted.filter((name) => !Object.hasOwn(SUITES, name));
if (unknown.length > 0) {
  console.error(`Error: no benchmark '${unknown[0]}'; there are ${Object.keys(SUITES).join(", ")}`);
  Deno.exit(2);
}

const rows: BenchRow[] = [];
for (const [name, load] of Object.entries(SUITES)) {
  if (wanted.length > 0 ? !wanted.includes(name) : BY_NAME.includes(name)) continue;
  console.error(`running ${name} …`);
  rows.push(...await (await load()).run());
}

const number = (value: number | undefined) =>
  value === undefined ? "" : value >= 100 ? value.toFixed(0) : value.toPrecision(3);
const target = ({ target }: BenchRow) =>
  [target?.max !== undefined && `≤ ${target.max}`, target?.min !== undefined && `≥ ${target.min}`]
    .filter(Boolean).join(", ");
const verdict = (row: BenchRow) =>
  ({ true: "ok", false: "MISSED", undefined: "" })[`${reached(row)}`];

console.log(
  await renderTable(
    ["MEASURED", "VALUE", "RATIO", "TARGET", "", "AGAINST", "NOTE"],
    rows.map((row) => [
      row.name,
      `${number(row.value)} ${row.unit}`,
      number(row.ratio),
      target(row),
      verdict(row),
      row.reference ?? "",
      row.note ?? "",
    ]),
  ),
);
const machine = { cpus: cpus().length, model: cpus()[0]?.model, os: platform(), arch: arch() };
const report = { time: new Date().toISOString(), deno: Deno.version.deno, machine, rows };
await writeFile("bench.json", `${JSON.stringify(report, null, 2)}\n`);
if (check && rows.some((row) => reached(row) === false)) Deno.exit(1);

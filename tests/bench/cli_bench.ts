import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchRow } from "./bench_row.ts";
import { bundleMpctl } from "../../cli/bundle.ts";
import { quantile, timed } from "./measure.ts";
import { startPlatform } from "../servers/platform_process.ts";

const ROUNDS = 21;
const root = new URL("../..", import.meta.url).pathname;

/** mpctl as a bundle, against programs that do as much without a CLI library. */
export async function run(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  const platform = await startPlatform(["--ephemeral"]);
  try {
    const mpctl = join(directory, "mpctl.js");
    await bundleMpctl(mpctl);
    const oneCall = await bundle(
      "tests/bench/programs/one_call.ts",
      join(directory, "one_call.js"),
    );
    const empty = await bundle("tests/bench/programs/empty.ts", join(directory, "empty.js"));
    const server = platform.web.origin;
    const programs: Record<string, string[]> = {
      empty: [empty],
      version: [mpctl, "version"],
      oneCall: [oneCall, server],
      list: [mpctl, "env", "list", "--server", server],
    };
    const took: Record<string, number[]> = { empty: [], version: [], oneCall: [], list: [] };
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [name, args] of Object.entries(programs)) {
        const ms = await timed(() =>
          deno(["run", "--allow-net", "--allow-env", "--allow-read", ...args])
        );
        if (round > 0) took[name]!.push(ms);
      }
    }
    const p50 = (name: string) => quantile(took[name]!);
    return [
      {
        name: "mpctl version",
        value: p50("version"),
        unit: "ms",
        reference: `an empty program (${p50("empty").toFixed(0)} ms)`,
        ratio: p50("version") / p50("empty"),
        target: { max: 2.5 },
      },
      {
        name: "mpctl env list",
        value: p50("list"),
        unit: "ms",
        reference: `one call without a CLI library (${p50("oneCall").toFixed(0)} ms)`,
        ratio: p50("list") / p50("oneCall"),
        target: { max: 1.5 },
      },
    ];
  } finally {
    await platform.stop();
    await rm(directory, { recursive: true });
  }
}

async function bundle(source: string, output: string): Promise<string> {
  await deno(["bundle", "--quiet", "--platform", "deno", "--minify", "--output", output, source]);
  return output;
}

async function deno(args: readonly string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code !== 0) throw new Error(`deno ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchRow } from "./bench_row.ts";
import { bundleMpctl } from "../../cli/build/bundle.ts";
import { quantile, timed } from "./measure.ts";
import { goTool } from "../servers/go_tool.ts";
import { startKubeApiServer } from "../servers/kube_api_server.ts";
import { startPlatform } from "../servers/platform_process.ts";

const ROUNDS = 21;
const DENO = [Deno.execPath(), "run", "--allow-net", "--allow-env", "--allow-read"];
const root = new URL("../..", import.meta.url).pathname;

/** mpctl as a bundle, compared with kubectl and with equivalent programs without a CLI library. */
export async function run(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(directory, { recursive: true }));
  const platform = await startPlatform(["--ephemeral"]);
  stack.defer(() => platform.stop());
  const kube = await startKubeApiServer(directory);
  stack.defer(() => kube.stop());
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
  const kubectl = await goTool("kubectl");
  const commands: Record<string, string[]> = {
    ...Object.fromEntries(
      Object.entries(programs).map(([name, args]) => [name, [...DENO, ...args]]),
    ),
    kubectlVersion: [kubectl, "version", "--client"],
    kubectlGet: [
      ...[kubectl, "get", "namespaces", "--kubeconfig", kube.kubeconfig],
      // Its cache is kept between rounds, like a user's, and removed with the folder.
      ...["--cache-dir", join(directory, "kube-cache")],
    ],
  };
  const took: Record<string, number[]> = {};
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, command] of Object.entries(commands)) {
      const ms = await timed(() => execute(command));
      // The first round warms up.
      if (round > 0) (took[name] ??= []).push(ms);
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
      name: "mpctl version",
      value: p50("version"),
      unit: "ms",
      reference: `kubectl version --client (${p50("kubectlVersion").toFixed(0)} ms)`,
      ratio: p50("version") / p50("kubectlVersion"),
      target: { max: 1 },
    },
    {
      name: "mpctl env list",
      value: p50("list"),
      unit: "ms",
      reference: `kubectl get namespaces (${p50("kubectlGet").toFixed(0)} ms)`,
      ratio: p50("list") / p50("kubectlGet"),
      target: { max: 1 },
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
}

async function bundle(source: string, output: string): Promise<string> {
  await execute([
    ...[Deno.execPath(), "bundle", "--quiet", "--platform", "deno", "--minify"],
    ...["--output", output, source],
  ]);
  return output;
}

async function execute([command = "", ...args]: readonly string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(command, {
    args,
    cwd: root,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code !== 0) throw new Error(`${command} ${args}: ${new TextDecoder().decode(stderr)}`);
}

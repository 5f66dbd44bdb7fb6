/** mpctl from its user's view: the bundle as a black box, with a live server. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleMpctl, PERMISSIONS } from "../../cli/build/bundle.ts";
import { type PlatformProcess, startPlatform } from "../servers/platform_process.ts";
import { type Result, runCommand, type RunOptions } from "../servers/run_command.ts";

export interface World {
  /** Runs mpctl against the live server. */
  readonly mpctl: (...args: string[]) => Promise<Result>;
  /** Runs mpctl with the server that its environment and profiles select. */
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Result>;
  readonly bundle: string;
  /** The command that starts mpctl, without arguments. */
  readonly command: readonly string[];
  /** For files; the profiles are in its `config.yaml`. */
  readonly directory: string;
  readonly web: string;
  readonly grpc: string;
  readonly platform: PlatformProcess;
}

export type Runtime = "deno" | "node";

/** The command line of the bundle; under Deno with mpctl's own permissions. */
export const mpctlCommand = (bundle: string, runtime: Runtime = "deno"): readonly string[] =>
  runtime === "node" ? ["node", bundle] : [Deno.execPath(), "run", ...PERMISSIONS, bundle];

/** The surroundings of the runs of mpctl. */
export interface WorldOptions {
  /** Flags of the server. */
  readonly platformArgs?: readonly string[];
  readonly runtime?: Runtime;
  /** The task that starts the server. */
  readonly task?: "dev" | "dev:cluster";
}

/** A world that must be closed. */
export interface OpenWorld extends World, AsyncDisposable {}

/** Makes a bundle and starts a server. */
export async function openWorld(
  { platformArgs = [], runtime = "deno", task = "dev" }: WorldOptions = {},
): Promise<OpenWorld> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "mpc-mpctl-"));
  stack.defer(() => rm(directory, { recursive: true }));
  const bundle = join(directory, "mpctl.js");
  await bundleMpctl(bundle);
  const platform = await startPlatform(["--ephemeral", ...platformArgs], { task });
  stack.defer(() => platform.stop());
  const web = platform.web.origin;
  const command = mpctlCommand(bundle, runtime);
  const env = { NO_COLOR: "1", MPC_CONFIG: join(directory, "config.yaml") };
  const run: World["run"] = (args, options = {}) =>
    runCommand([...command, ...args], { ...options, env: { ...env, ...options.env } });
  const open = stack.move();
  return {
    bundle,
    command,
    directory,
    web,
    grpc: `grpc://${platform.grpc.host}`,
    platform,
    run,
    mpctl: (...args) => run(args.includes("--server") ? args : [...args, "--server", web]),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Runs a test with its own bundle and server. */
export async function withMpctl(
  use: (world: World) => Promise<void>,
  options: WorldOptions = {},
): Promise<void> {
  await using world = await openWorld(options);
  await use(world);
}

/** Named cases, in their order. */
export type Cases = readonly (readonly [string, (world: World) => Promise<void>])[];

/** Registers named cases that share a world and run in this order. */
export function testMpctl(
  name: string,
  cases: Cases,
  options: WorldOptions = {},
): void {
  Deno.test({
    name,
    // Processes and fetches may leave pending operations.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: (t) =>
      withMpctl(async (world) => {
        for (const [title, check] of cases) await t.step(title, () => check(world));
      }, options),
  });
}

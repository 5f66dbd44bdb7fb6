import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MpcError } from "@mpc/domain";

/** A Temporal server that this process starts and stops. */
export interface DevTemporal {
  /** `host:port`. */
  readonly address: string;
  stop(): Promise<void>;
}

const pathOf = (file: string) => fileURLToPath(new URL(`../${file}`, import.meta.url));

const SERVER = pathOf("api/temporal_dev_server.ts");
const BUNDLER = pathOf("worker/engine/temporal/bundle_workflows.ts");

/** The sources of the workflow bundle. */
const SOURCES = ["services/sagas", "worker/engine/temporal", "deno.lock"].map(pathOf);

/**
 * Starts Temporal's dev server as a separate process, which has permission to run programs.
 * @param database a file that is kept after the server stops; null for memory
 * @throws {MpcError} FAILED_PRECONDITION `NO_TEMPORAL`
 */
export async function startDevTemporal(database: string | null): Promise<DevTemporal> {
  const child = new Deno.Command("deno", {
    args: [
      "run",
      "--quiet",
      "--allow-all",
      SERVER,
      "--serve",
      ...(database === null ? [] : [database]),
    ],
    // It stops when its input ends, and so with this process, even if that is killed.
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stop = async () => {
    await child.stdin.close();
    await child.status;
  };
  const errors = new Response(child.stderr).text();
  for await (const line of child.stdout.pipeThrough(new TextDecoderStream())) {
    return { address: line.trim(), stop };
  }
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "NO_TEMPORAL",
    message: `Cannot start Temporal: ${(await errors).trim()}, or give --temporal-address`,
  });
}

/** Bundles the workflows if their sources are newer than the bundle. */
export async function freshWorkflowBundle(path: string): Promise<void> {
  if (await newest([path]) > await newest(SOURCES)) return;
  const { success, stderr } = await new Deno.Command("deno", {
    args: ["run", "--allow-all", BUNDLER],
  }).output();
  if (success) return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "NO_WORKFLOW_BUNDLE",
    message: `Cannot bundle the workflows: ${new TextDecoder().decode(stderr).trim()}`,
  });
}

/** The newest modification time of these files; 0 if there are none. */
async function newest(paths: readonly string[]): Promise<number> {
  const times = await Promise.all(paths.map(async (path) => {
    try {
      const found = await stat(path);
      if (!found.isDirectory()) return found.mtimeMs;
      const entries = await readdir(path, { recursive: true });
      return await newest(entries.filter((name) => /\.ts$/.test(name)).map((n) => join(path, n)));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
      throw error;
    }
  }));
  return Math.max(0, ...times);
}

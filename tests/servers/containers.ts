/**
 * Podman and buildah, with storage that is separate from the machine's own images and containers.
 */
import { toolCache } from "./go_tool.ts";

/** The environment in which podman, buildah and kind see only the tests' images and containers. */
async function containerEnv(): Promise<Readonly<Record<string, string>>> {
  const folder = `${toolCache()}/containers`;
  await Deno.mkdir(folder, { recursive: true });
  const storage = `${folder}/storage.conf`;
  const limits = `${folder}/containers.conf`;
  await Deno.writeTextFile(
    storage,
    [
      "[storage]",
      'driver = "overlay"',
      `graphroot = "${folder}/storage"`,
      'runroot = "/run/mpc-ci-containers"',
      "",
    ].join("\n"),
  );
  const open = Number((await run("sh", ["-c", "ulimit -Hn"])).trim());
  const nofile = Number.isFinite(open) ? open : 1_048_576;
  await Deno.writeTextFile(
    limits,
    [
      "[containers]",
      // The default may exceed what this machine allows, and then no container would start.
      `default_ulimits = ["nofile=${nofile}:${nofile}", "nproc=30000:30000"]`,
      "",
    ].join("\n"),
  );
  return {
    CONTAINERS_STORAGE_CONF: storage,
    CONTAINERS_CONF: limits,
    KIND_EXPERIMENTAL_PROVIDER: "podman",
  };
}

/**
 * Runs podman, or a program that uses it, in that environment.
 * @returns its output
 * @throws {Error} if it fails, with its output
 */
export async function withContainers(command: string, args: readonly string[]): Promise<string> {
  return await run(command, args, await containerEnv());
}

async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    env: { ...env },
  }).output();
  const text = new TextDecoder();
  if (!success) {
    throw new Error(`${command} ${args[0]} failed: ${text.decode(stdout)}${text.decode(stderr)}`);
  }
  return text.decode(stdout);
}

/** Disks of a test's own: small ones, failing ones, and others that only root can mount. */
import { requireRoot } from "./requirements.ts";

/** A mount namespace of its own; its mounts end with it, also when the test is killed. */
export interface MountSpace extends AsyncDisposable {
  /** The words before a command that run it in the namespace. */
  readonly enter: readonly string[];
  /** Where a path of the namespace is for this process. */
  outside(path: string): string;
  /** Runs a script of the shell in the namespace. */
  run(script: string): Promise<void>;
}

/** Opens a namespace with the mounts of this machine, to which a test adds its own. */
export async function openMountSpace(): Promise<MountSpace> {
  requireRoot("tests of disks", "because only root can mount them");
  // It ends when its input does, however this process ends.
  const child = new Deno.Command("unshare", {
    args: ["--mount", "sh", "-c", "echo ready; exec cat"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.stdout.getReader();
  await output.read();
  const enter = [
    ...["nsenter", `--mount=/proc/${child.pid}/ns/mnt`],
    // Entering changes the working directory.
    ...["sh", "-c", 'cd "$0" && exec "$@"', Deno.cwd()],
  ];
  return {
    enter,
    outside: (path) => `/proc/${child.pid}/root${path}`,
    async run(script) {
      const [program = "", ...args] = [...enter, "sh", "-ec", script];
      const { success, stderr } = await new Deno.Command(program, { args }).output();
      if (!success) throw new Error(`Cannot run '${script}': ${new TextDecoder().decode(stderr)}`);
    },
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await output.cancel();
      await child.status;
    },
  };
}

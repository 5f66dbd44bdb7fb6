/** The programs that suites need from the machine, and their Debian packages. */
const PACKAGES = {
  go: "golang-go",
  podman: "podman",
  buildah: "buildah",
  debootstrap: "debootstrap",
  iptables: "iptables",
  busybox: "busybox-static",
} as const;

/** A program that a suite may require. */
export type Requirement = keyof typeof PACKAGES;

/**
 * Asserts that a suite can run, before it starts anything.
 * @param what for people, for instance `the suite on a real cluster`
 * @throws {Error} that names all missing programs and how to install them
 */
export async function requirePrograms(
  what: string,
  programs: readonly Requirement[],
): Promise<void> {
  const missing: Requirement[] = [];
  for (const program of programs) {
    const { success } = await new Deno.Command("sh", {
      args: ["-c", 'command -v "$1" >/dev/null', "sh", program],
    }).output();
    if (!success) missing.push(program);
  }
  if (missing.length === 0) return;
  const packages = missing.map((program) => PACKAGES[program]).join(" ");
  throw new Error(
    `Cannot run ${what}: ${missing.join(", ")} must be on this machine's path; ` +
      `on Debian: apt-get install --no-install-recommends ${packages}`,
  );
}

/** @throws {Error} if the tests do not run as root, with the reason why they must */
export function requireRoot(what: string, why: string): void {
  if (Deno.uid() !== 0) throw new Error(`Cannot run ${what}: it must run as root, ${why}`);
}

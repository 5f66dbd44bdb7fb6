/**
 * Compiles mpctl into standalone programs: `deno task compile [TARGET …]`, for all targets by
 * default. Deno downloads the runtime that it embeds, or reads it from the file that `DENORT_BIN`
 * names.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { bundleMpctl, PERMISSIONS } from "./bundle.ts";

/** The platforms that mpctl can be compiled for. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

/**
 * Compiles one program.
 * @returns its path
 * @throws {Error} with the compiler's output if it fails
 */
export async function compileMpctl(target: string, folder: string): Promise<string> {
  const output = join(folder, `mpctl-${target}${target.includes("windows") ? ".exe" : ""}`);
  const work = await mkdtemp(join(tmpdir(), "mpctl-"));
  try {
    // A bundle starts in half the time of the sources.
    const bundle = join(work, "mpctl.js");
    await bundleMpctl(bundle);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["compile", "--quiet", "--no-check", "--no-config", "--target", target],
        ...PERMISSIONS,
        ...["--output", output, bundle],
      ],
    }).output();
    if (!success) {
      const detail = new TextDecoder().decode(stderr).trim();
      throw new Error(`Cannot compile mpctl for ${target}: ${detail}`);
    }
    return output;
  } finally {
    await rm(work, { recursive: true });
  }
}

if (import.meta.main) {
  const [asked, known]: (readonly string[])[] = [process.argv.slice(2), TARGETS];
  const unknown = asked!.find((target) => !known!.includes(target));
  if (unknown) {
    console.error(`Error: Cannot compile for '${unknown}': must be one of ${known!.join(", ")}`);
    process.exit(2);
  }
  for (const target of asked!.length > 0 ? asked! : TARGETS) {
    console.log(await compileMpctl(target, join(import.meta.dirname!, "..", "..", "dist")));
  }
}

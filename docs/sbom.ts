/**
 * Writes the software bill of materials of all npm packages in `deno.lock`, in CycloneDX 1.6 JSON, to
 * `dist/sbom.cdx.json`: `deno task sbom`. It has neither a time nor a random number, so the same lock
 * file gives the same bytes.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import process from "node:process";
import { VERSION } from "@mpc/process";
import { z } from "zod";

const LOCK = z.object({
  specifiers: z.record(z.string(), z.string()),
  npm: z.record(
    z.string(),
    z.object({
      integrity: z.string().regex(/^sha512-/),
      dependencies: z.array(z.string()).default([]),
      optionalDependencies: z.array(z.string()).default([]),
      os: z.array(z.string()).default([]),
    }),
  ),
});

/** The SPDX license of a package; undefined where it is not known. */
export type LicenseOf = (name: string, version: string) => Promise<string | undefined>;

/**
 * The bill of materials of a lock file.
 * @param lockText the text of `deno.lock`
 */
export async function sbomOf(lockText: string, licenseOf: LicenseOf): Promise<string> {
  const { specifiers, npm } = LOCK.parse(JSON.parse(lockText));
  const root = `mini-platform-control-plane@${VERSION}`;
  const packages = new Map(Object.entries(npm).map(([key, entry]) => [refOf(key), entry]));
  const refs = [...packages.keys()].toSorted();
  const versionsOf = Map.groupBy(refs, (ref) => ref.slice(0, ref.lastIndexOf("@")));
  const named = (dependency: string): string => {
    if (dependency.includes("@", 1)) return refOf(dependency);
    const [only, ...others] = versionsOf.get(dependency) ?? [];
    if (only === undefined || others.length > 0) {
      throw new Error(`'${dependency}' is not one package of the lock file`);
    }
    return only;
  };
  const components = refs.map(async (ref) => {
    const at = ref.lastIndexOf("@");
    const [name, version] = [ref.slice(0, at), ref.slice(at + 1)];
    const { integrity, os } = packages.get(ref)!;
    const license = await licenseOf(name, version);
    const [, group, bare = name] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
    return {
      type: "library",
      "bom-ref": ref,
      ...(group !== undefined && { group }),
      name: bare,
      version,
      ...(os.length > 0 && { scope: "optional" }),
      hashes: [{
        alg: "SHA-512",
        content: Uint8Array.fromBase64(integrity.slice("sha512-".length)).toHex(),
      }],
      // An expression may be a single id.
      ...(license !== undefined && { licenses: [{ expression: license }] }),
      purl: `pkg:npm/${name.replace(/^@/, "%40")}@${encodeURIComponent(version)}`,
    };
  });
  const own = Object.entries(specifiers).map(([specifier, version]) =>
    refOf(`${specifier.replace(/^npm:/, "").replace(/(?<=.)@[^@]*$/, "")}@${version}`)
  );
  const dependencies = [
    { ref: root, dependsOn: sorted(own) },
    ...refs.map((ref) => {
      const { dependencies, optionalDependencies } = packages.get(ref)!;
      return { ref, dependsOn: sorted([...dependencies, ...optionalDependencies].map(named)) };
    }),
  ];
  const bom = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": root,
        name: "mini-platform-control-plane",
        version: VERSION,
      },
    },
    components: await Promise.all(components),
    dependencies,
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}

/** `@scope/name@version` of a key of the lock file, which may name versions of peers too. */
function refOf(key: string): string {
  const [, ref] = /^(@?[^@]+@[^_]+)/.exec(key) ?? [];
  if (ref === undefined) throw new Error(`'${key}' is no package of the lock file`);
  return ref;
}

const sorted = (refs: readonly string[]): readonly string[] => [...new Set(refs)].toSorted();

const MANIFEST = z.object({
  license: z.string().transform((license) => license.replace(/^\((.*)\)$/, "$1"))
    .refine((license) => /^[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*$/.test(license)),
});

/**
 * Reads licenses of the packages that Deno has in its cache. Those for other systems are not there.
 * @param cache the folder of npm packages, of which each registry has one
 */
export function cachedLicenses(cache: string, registries: readonly string[]): LicenseOf {
  return async (name, version) => {
    for (const registry of registries) {
      const manifest = await contentOf(join(cache, registry, name, version, "package.json"));
      const parsed = manifest === undefined ? undefined : MANIFEST.safeParse(JSON.parse(manifest));
      if (parsed?.success) return parsed.data.license;
    }
    return undefined;
  };
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

if (import.meta.main) {
  // The output of `deno info --json`.
  const { npmCache } = z.object({ npmCache: z.string() }).parse(
    JSON.parse(await text(process.stdin)),
  );
  const lock = await readFile("deno.lock", "utf8");
  const sbom = await sbomOf(lock, cachedLicenses(npmCache, await readdir(npmCache)));
  await mkdir("dist", { recursive: true });
  await writeFile("dist/sbom.cdx.json", sbom);
  console.log("dist/sbom.cdx.json");
}

/** `deno task audit` fails for a known vulnerability, and only then. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { runCommand } from "../servers/run_command.ts";
import { startDeno } from "../servers/subprocess.ts";
import { withFolder } from "../servers/with_folder.ts";

const ADVISORIES = /^\/-\/npm\/v1\/security\/advisories\/bulk$/;

/** Audits a project that needs `pineapple` 1.0.0, at a registry that answers so about advisories. */
async function audit(
  folder: string,
  advisories: () => Response,
): Promise<{ readonly code: number; readonly output: string }> {
  const manifest = { name: "pineapple", version: "1.0.0", main: "index.js" };
  await mkdir(join(folder, "package"));
  await writeFile(join(folder, "package", "package.json"), JSON.stringify(manifest));
  await runCommand(["tar", "-czf", join(folder, "p.tgz"), "-C", folder, "package"]);
  const tarball = await readFile(join(folder, "p.tgz"));
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  await using registry = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url }) => {
      const { origin, pathname } = new URL(url);
      if (ADVISORIES.test(pathname)) return advisories();
      if (pathname.endsWith(".tgz")) return new Response(new Uint8Array(tarball));
      const dist = { tarball: `${origin}/pineapple/-/pineapple-1.0.0.tgz`, integrity };
      return Response.json({
        name: "pineapple",
        "dist-tags": { latest: "1.0.0" },
        versions: { "1.0.0": { ...manifest, dist } },
      });
    },
  );
  const imports = { pineapple: "npm:pineapple@1.0.0" };
  await writeFile(join(folder, "deno.json"), JSON.stringify({ imports }));
  const env = {
    NPM_CONFIG_REGISTRY: `http://127.0.0.1:${registry.addr.port}/`,
    DENO_DIR: join(folder, "cache"),
  };
  const [, ...args] = config.tasks.audit.split(" ");
  const inFolder = ["sh", "-c", `cd "${folder}" && exec "$@"`, "sh"];
  const steps = [["install", "--quiet"], args];
  let told = { code: 0, output: "" };
  for (const step of steps) {
    const deno = startDeno(step, env, undefined, inFolder);
    const { code } = await deno.status;
    told = { code, output: deno.output() };
  }
  return told;
}

const ADVISORY = {
  id: 1,
  url: "https://example.com/advisories/1",
  title: "Pineapples on pizza",
  severity: "low",
  vulnerable_versions: "<2.0.0",
  cwe: [],
  cvss: { score: 1, vectorString: null },
};

const CASES = [
  ["fails for a known vulnerability", { pineapple: [ADVISORY] }, 1, /Pineapples on pizza/],
  ["passes without one", {}, 0, /No known vulnerabilities/],
  ["passes where the registry has no advisories", null, 0, /Failed to get data from the registry/],
] as const;

for (const [what, known, wanted, says] of CASES) {
  Deno.test(`deno task audit ${what}`, NO_SANITIZERS, () =>
    withFolder(async (folder) => {
      const { code, output } = await audit(
        folder,
        () => known === null ? new Response("", { status: 404 }) : Response.json(known),
      );
      assert.equal(code, wanted, output);
      assert.match(output, says);
    }));
}

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { buf, generate, protoWorkspace } from "./buf.ts";

const here = import.meta.dirname!;

async function withWorkspace(use: (workspace: string) => Promise<void>): Promise<void> {
  const workspace = await protoWorkspace();
  try {
    await use(workspace);
  } finally {
    await rm(workspace, { recursive: true });
  }
}

async function filesBelow(root: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[relative(root, path)] = await readFile(path, "utf8");
  }
  return files;
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: here, encoding: "utf8", stdio: "pipe" });
}

/**
 * The commit to compare with: the last one, or the one before it if the working tree equals the last
 * one, as in CI.
 */
function lastDifferent(): string {
  if (git("status", "--porcelain", "--", "mpc", "grpc") !== "") return "HEAD";
  try {
    return git("rev-parse", "--verify", "HEAD~1").trim();
  } catch {
    // The first commit, or a shallow clone: there is no earlier one.
    return "HEAD";
  }
}

/**
 * The options for languages of a file that had none before: setting them for the first time breaks
 * nobody, changing them later does.
 */
async function firstLanguageOptions(path: string, before: string): Promise<string> {
  if (/^option go_package/m.test(before) || !path.startsWith("mpc/v1/")) return "";
  const now = await readFile(join(here, path), "utf8");
  return (now.match(/^option .*;$/gm) ?? []).join("\n");
}

Deno.test("the generated code matches the protos (otherwise run 'deno task gen')", () =>
  withWorkspace(async (workspace) => {
    const [now, committed] = [await generate(workspace), join(here, "gen")];
    assert.deepEqual(await filesBelow(committed), await filesBelow(now));
  }));

Deno.test("the protos pass buf lint", () =>
  withWorkspace(async (workspace) => {
    const { code, output } = await buf(workspace, ["lint"]);
    assert.equal(code, 0, output);
  }));

Deno.test("the protos are compatible with the last commit on main", () =>
  withWorkspace(async (workspace) => {
    const base = lastDifferent();
    const committed = git("ls-tree", "-r", "--name-only", base, "mpc", "grpc").split("\n").filter(
      Boolean,
    );
    assert.ok(committed.length > 0, "the last commit has protos");
    const before = join(workspace, "before");
    for (const path of committed) {
      await mkdir(join(before, dirname(path)), { recursive: true });
      const text = git("show", `${base}:./${path}`);
      await writeFile(join(before, path), text + await firstLanguageOptions(path, text));
    }
    for (const entry of ["google", "buf.yaml"]) {
      await Deno.rename(join(workspace, entry), join(before, entry));
    }
    const current = await protoWorkspace();
    try {
      const { code, output } = await buf(current, ["breaking", "--against", before]);
      assert.equal(code, 0, output);
    } finally {
      await rm(current, { recursive: true });
    }
  }));

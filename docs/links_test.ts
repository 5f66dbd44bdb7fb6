/** The pages name only files, tasks and headings that exist. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { GENERATED } from "./generated.ts";

const ROOT = new URL("../", import.meta.url);

const read = (path: string) => readFile(new URL(path, ROOT), "utf8");

/** Every page that is not generated. */
async function handWrittenPages(): Promise<readonly string[]> {
  const docs = await readdir(new URL("docs", ROOT), { recursive: true });
  const pages = docs.filter((name) => name.endsWith(".md") && !Object.hasOwn(GENERATED, name));
  const root = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];
  return [...root, ...pages.map((name) => `docs/${name}`)];
}

/** Paths in code spans, from the root of the repository. */
function pathsIn(page: string): readonly string[] {
  const spans = [...page.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
  return spans.filter((span) => /^\w[\w.-]*\/([\w./-]*\.\w+|[\w/-]*\/)?$/.test(span));
}

/** The files and headings that a page links to. */
function linksIn(page: string): readonly { readonly file: string; readonly heading: string }[] {
  return [...page.matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)]
    .map(([, file = "", heading = ""]) => ({ file, heading }));
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsIn(page: string): ReadonlySet<string> {
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) =>
      heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-")
    ),
  );
}

const { tasks } = JSON.parse(await read("deno.json"));
const pages = await handWrittenPages();
assert.ok(pages.length > 10, "the pages were found");

for (const page of pages) {
  const text = await read(page);
  const base = new URL(page, ROOT);

  Deno.test(`${page}: the files that it names exist`, () => {
    const missing = [
      ...pathsIn(text).filter((path) => !existsSync(new URL(path, ROOT))),
      ...linksIn(text).map(({ file }) => file).filter((file) => !existsSync(new URL(file, base))),
    ];
    assert.deepEqual(missing, []);
  });

  Deno.test(`${page}: the headings that it links to exist`, async () => {
    const missing: string[] = [];
    for (const { file, heading } of linksIn(text)) {
      if (heading === "") continue;
      const target = await readFile(file === "" ? base : new URL(file, base), "utf8");
      if (!anchorsIn(target).has(heading)) missing.push(`${file}#${heading}`);
    }
    assert.deepEqual(missing, []);
  });

  Deno.test(`${page}: the tasks that it names exist`, () => {
    const named = [...text.matchAll(/(?:deno(?:@\S+)? |`)task ([a-z][a-z:]*)/g)].map((
      [, task = ""],
    ) => task);
    const missing = named.filter((task) => !(task in tasks));
    assert.deepEqual(missing, []);
  });
}

Deno.test("README.md has at most 9 kB", async () => {
  const { length } = new TextEncoder().encode(await read("README.md"));
  assert.ok(length <= 9_000, `it has ${length} bytes`);
});

/** What the pages tell people to open and to type is there. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

const ROOT = new URL("../", import.meta.url);
const PAGES = ["README.md", "CONTRIBUTING.md", "docs/kubernetes.md"];

const read = (path: string) => readFile(new URL(path, ROOT), "utf8");

/** Paths in code spans, from the root of the repository. */
function pathsIn(page: string): readonly string[] {
  const spans = [...page.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
  return spans.filter((span) => /^\w[\w.-]*\/([\w./-]*\.\w+|[\w/-]*\/)?$/.test(span));
}

/** The targets of links to other files. */
function linksIn(page: string): readonly string[] {
  return [...page.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = ""]) => link);
}

const { tasks } = JSON.parse(await read("deno.json"));

for (const page of PAGES) {
  const text = await read(page);

  Deno.test(`${page}: the files that it names are there`, () => {
    const base = new URL(page, ROOT);
    const missing = [
      ...pathsIn(text).filter((path) => !existsSync(new URL(path, ROOT))),
      ...linksIn(text).filter((link) => !existsSync(new URL(link, base))),
    ];
    assert.deepEqual(missing, [], "a stranger opens what a page names");
  });

  Deno.test(`${page}: the tasks that it names are there`, () => {
    const named = [...text.matchAll(/(?:deno(?:@\S+)? |`)task ([a-z][a-z:]*)/g)].map((
      [, task = ""],
    ) => task);
    const missing = named.filter((task) => !(task in tasks));
    assert.deepEqual(missing, [], "a stranger types what a page names");
  });
}

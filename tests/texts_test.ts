import assert from "node:assert/strict";
import { join } from "node:path";
import { readSources } from "./rooms.ts";
import { idleTextReaders, textReaders } from "./texts.ts";

const files = await readSources(join(import.meta.dirname!, ".."));

Deno.test("the product acts on codes and reasons, and on texts only in the listed files", () => {
  assert.ok(files.length > 100, "the sources were found");
  assert.deepEqual(textReaders(files), []);
});

Deno.test("every listed file reads texts", () => {
  assert.deepEqual(idleTextReaders(files), []);
});

Deno.test("a reader of texts is named", () => {
  const planted = [
    { path: "cli/a.ts", text: `if (error.message.includes("refused")) start();` },
    { path: "cli/b.ts", text: `\nif (/not found/.test(failure.error?.message)) return;` },
    {
      path: "api/c.ts",
      text: `const why = error instanceof Error ? error.message : "";\nwhy.startsWith("x");`,
    },
    { path: "worker/d.ts", text: `const [, name] = /for '(.*)'/.exec(message) ?? [];` },
    { path: "services/e.ts", text: `if (error.message === "gone") return;` },
    { path: "client/f.ts", text: `return error.rawMessage.match(/x/);` },
    {
      path: "worker/g.ts",
      text: `// error.message.includes("x")\nif (error.reason === "X") return;`,
    },
    { path: "worker/h.ts", text: `if (before?.message === found.message) return undefined;` },
    { path: "services/i_test.ts", text: `assert.ok(error.message.includes("x"));` },
  ];
  assert.deepEqual(textReaders(planted), [
    "cli/a.ts:1",
    "cli/b.ts:2",
    "api/c.ts:2",
    "worker/d.ts:1",
    "services/e.ts:1",
    "client/f.ts:1",
  ]);
});

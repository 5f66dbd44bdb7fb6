import assert from "node:assert/strict";
import { join } from "node:path";
import { getLogger, type LogRecord } from "@logtape/logtape";
import { readSources } from "@mpc/tests/rooms.ts";
import { LOG_FIELDS } from "./log_fields.ts";
import { LOG_CATEGORIES } from "./log_levels.ts";
import { frequentLog, resetLogging, setLogging } from "./logging.ts";

Deno.test("a category may log more or less than the rest, and frequent lines follow changes", () => {
  const lines: string[] = [];
  const sink = ({ category, level }: LogRecord) => void lines.push(`${category.at(-1)} ${level}`);
  const frequent = frequentLog("storage", "debug");
  const logAll = () => {
    lines.length = 0;
    for (const name of ["storage", "engine", "web"]) {
      const log = getLogger(["mpc", name]);
      log.debug("x");
      log.warning("x");
    }
    return lines.join(", ");
  };
  try {
    setLogging({ base: "warning", categories: { storage: "debug", web: "off" } }, sink);
    assert.equal(logAll(), "storage debug, storage warning, engine warning");
    assert.equal(frequent.isEnabled(), true);
    frequent.write("x", {});
    assert.equal(lines.at(-1), "storage debug");
    assert.equal(lines.length, 4);
    setLogging({ base: "error", categories: {} }, sink);
    assert.equal(logAll(), "");
    assert.equal(frequent.isEnabled(), false);
    frequent.write("x", {});
    assert.deepEqual(lines, []);
    setLogging({ base: "debug", categories: {} }, sink);
    assert.equal(logAll().split(", ").length, 6);
    assert.equal(frequent.isEnabled(), true);
  } finally {
    resetLogging();
  }
});

const ROOT = join(import.meta.dirname!, "..", "..");

Deno.test("every category and every field that the code logs is in the schema of log lines", async () => {
  const sources = (await readSources(ROOT)).filter(({ path }) =>
    !path.startsWith("tests/") && !path.endsWith("_test.ts")
  );
  const categories = new Set<string>();
  const fields = new Set<string>();
  for (const { text } of sources) {
    for (const [, words = ""] of text.matchAll(/getLogger\(\["mpc", ([^\]]+)\]\)/g)) {
      if (!words.startsWith('"')) continue;
      categories.add(words.replaceAll('"', "").split(", ").join("."));
    }
    for (const [, category = ""] of text.matchAll(/frequentLog\("([^"]+)"/g)) {
      categories.add(category);
    }
    const calls = /\blog\w*(?:\.\w+|\[[^\]]+\])\(\s*"((?:[^"\\]|\\.)*)"/gi;
    for (const [, template = ""] of text.matchAll(calls)) {
      for (const [, name = ""] of template.matchAll(/\{(\w+)\}/g)) fields.add(name);
    }
  }
  assert.ok(categories.size > 20 && fields.size > 20, "the calls were found");
  assert.deepEqual([...categories].filter((it) => !LOG_CATEGORIES.some((c) => c === it)), []);
  const known = [...categories, "kubernetes"];
  assert.deepEqual(LOG_CATEGORIES.filter((it) => !known.includes(it)), [], "categories in use");
  assert.deepEqual([...fields].filter((name) => !Object.hasOwn(LOG_FIELDS, name)), []);
  const all = sources.map(({ text }) => text).join("\n");
  const unused = Object.keys(LOG_FIELDS).filter((name) =>
    !fields.has(name) && !new RegExp(`^\\s+(?:\\.\\.\\.\\{ )?${name}\\b`, "m").test(all)
  );
  assert.deepEqual(unused, [], "fields in use");
});

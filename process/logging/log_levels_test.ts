import assert from "node:assert/strict";
import { LOG_CATEGORIES, parseLogLevels } from "./log_levels.ts";

Deno.test("parseLogLevels() accepts a level, levels of categories, and the lines of a file", () => {
  assert.deepEqual(parseLogLevels("error"), { base: "error", categories: {} });
  assert.deepEqual(parseLogLevels(" storage=debug, kubernetes.watch=off "), {
    base: "info",
    categories: { storage: "debug", "kubernetes.watch": "off" },
  });
  const file = "# quiet\nwarning\nrpc=info # who calls what\n\nstorage=debug\n";
  assert.deepEqual(parseLogLevels(file), {
    base: "warning",
    categories: { rpc: "info", storage: "debug" },
  });
  assert.deepEqual(parseLogLevels("", "error"), { base: "error", categories: {} });
});

Deno.test("parseLogLevels() says what a wrong word must be", () => {
  assert.equal(parseLogLevels("loud"), "must be one of debug, info, warning, error, off");
  assert.equal(
    parseLogLevels("info,storage=loud"),
    "must be one of debug, info, warning, error, off, or CATEGORY=LEVEL such as storage=debug",
  );
  assert.equal(
    parseLogLevels("stoarge=debug"),
    `has no category 'stoarge'; there are ${LOG_CATEGORIES.join(", ")}`,
  );
});

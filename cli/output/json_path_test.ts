import assert from "node:assert/strict";
import { jsonPath } from "./json_path.ts";

const ITEMS = [
  { name: "a", labels: { team: "web" }, replicas: 2 },
  { name: "b", labels: {}, replicas: 1 },
];

const CASES: readonly (readonly [string, string])[] = [
  ["$[*].name", "a\nb\n"],
  ["{[*].name}", "a\nb\n"],
  ["{.items[*].name}", "a\nb\n"],
  ["{$[0].labels}", '{"team":"web"}\n'],
  ["[0].replicas", "2\n"],
  ["$[?(@.replicas > 1)].name", "a\n"],
  ["$..team", "web\n"],
  ["$[*].nothing", ""],
];

for (const [expression, found] of CASES) {
  Deno.test(`jsonPath() evaluates ${expression}`, () => {
    assert.equal(jsonPath(expression, ITEMS), found);
  });
}

Deno.test("jsonPath() of one object, in kubectl's form", () => {
  assert.equal(jsonPath("{.labels.team}", ITEMS[0]!), "web\n");
  assert.equal(jsonPath("name", ITEMS[0]!), "a\n");
});

Deno.test("jsonPath() rejects templates instead of finding nothing", () => {
  const template = '{range .items[*]}{.name}{"\\n"}{end}';
  assert.throws(() => jsonPath(template, ITEMS), /must be one path, without a template/);
});

Deno.test("jsonPath() runs no code", () => {
  for (const expression of ["$[?(Deno.exit(3))]", "$[?(globalThis.x = 1)]", "$[(@.constructor)]"]) {
    try {
      jsonPath(expression, ITEMS);
    } catch (error) {
      assert.match(String(error), /Cannot use jsonpath/);
    }
    assert.equal(Reflect.get(globalThis, "x"), undefined, "nothing was set");
  }
});

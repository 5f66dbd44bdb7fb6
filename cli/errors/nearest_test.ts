import assert from "node:assert/strict";
import { nearest } from "./nearest.ts";

const CASES: readonly (readonly [string, readonly string[], string | undefined])[] = [
  ["dve", ["prod", "dev"], "dev"],
  ["stagin", ["dev", "staging"], "staging"],
  ["web1", ["web", "api"], "web"],
  ["dev", ["web"], undefined],
  ["anything", [], undefined],
  ["", ["dev"], undefined],
];

for (const [typed, names, found] of CASES) {
  Deno.test(`nearest() to '${typed}' of ${names.join(", ") || "nothing"} is ${found}`, () => {
    assert.equal(nearest(typed, names), found && `Did you mean '${found}'?`);
  });
}

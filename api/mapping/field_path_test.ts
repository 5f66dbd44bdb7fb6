import assert from "node:assert/strict";
import { parseFieldPath } from "./field_path.ts";

const ROWS: readonly (readonly [string, readonly string[] | undefined])[] = [
  ["labels", ["labels"]],
  ["labels.team", ["labels", "team"]],
  ["labels.`example.com/team`", ["labels", "example.com/team"]],
  ["labels.`a``b`", ["labels", "a`b"]],
  ["labels.`a.b`.c", ["labels", "a.b", "c"]],
  ["*", ["*"]],
  ["", undefined],
  [".", undefined],
  ["labels.", undefined],
  [".team", undefined],
  ["labels..team", undefined],
  ["labels.``", undefined],
  ["labels.`open", undefined],
  ["labels.`a`b", undefined],
];

for (const [text, expected] of ROWS) {
  Deno.test(`parseFieldPath() ${expected ? "reads" : "refuses"} '${text}'`, () => {
    assert.deepEqual(parseFieldPath(text), expected);
  });
}

import assert from "node:assert/strict";
import { separateWords } from "./camel_case.ts";

const CASES: readonly (readonly [name: string, separator: string, words: string])[] = [
  ["grpcListen", "-", "grpc-listen"],
  ["progressDeadlineMs", "_", "progress_deadline_ms"],
  ["CreateEnvironment", " ", "create environment"],
  ["ephemeral", "-", "ephemeral"],
  ["maxAItems", "_", "max_a_items"],
  ["", "-", ""],
];

Deno.test("separateWords() puts the separator before each word but the first", async (t) => {
  for (const [name, separator, words] of CASES) {
    await t.step(`${name} by '${separator}'`, () => {
      assert.equal(separateWords(name, separator), words);
    });
  }
});

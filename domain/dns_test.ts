import assert from "node:assert/strict";
import { isDnsLabel, isDnsSubdomain } from "./dns.ts";

Deno.test("isDnsLabel() knows RFC 1123's labels", () => {
  for (const label of ["a", "0", "a-b", "a".repeat(63)]) assert.ok(isDnsLabel(label), label);
  for (const text of ["", "-a", "a-", "A", "a.b", "a_b", "a\n", "a".repeat(64)]) {
    assert.ok(!isDnsLabel(text), text);
  }
  assert.ok(!isDnsLabel("abcd", 3));
});

Deno.test("isDnsSubdomain() accepts labels separated by dots", () => {
  for (const name of ["a", "a.b", "0.a-b.c"]) assert.ok(isDnsSubdomain(name), name);
  for (const text of ["", ".", "a.", ".a", "a..b", "A.b", "a.-b", "a.".repeat(127) + "a"]) {
    assert.ok(!isDnsSubdomain(text), text);
  }
  assert.ok(isDnsSubdomain("a.".repeat(126) + "a"));
});

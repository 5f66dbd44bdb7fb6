import assert from "node:assert/strict";
import { redactFrom } from "./redact.ts";

Deno.test("redactFrom() takes the longer value first, and each line of a text", () => {
  const values = { a: "secret", b: "secret-key", c: "-----BEGIN\nMIIEow" };
  assert.equal(
    redactFrom("secret-key secret MIIEow x", values),
    "(redacted) (redacted) (redacted) x",
  );
});

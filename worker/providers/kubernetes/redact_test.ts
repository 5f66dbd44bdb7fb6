import assert from "node:assert/strict";
import { redactFrom } from "./redact.ts";

Deno.test("redactFrom() replaces longer values first, and each line of a value", () => {
  const values = { a: "secret", b: "secret-key", c: "-----BEGIN\nMIIEow" };
  assert.equal(
    redactFrom("secret-key secret MIIEow x", values),
    "(redacted) (redacted) (redacted) x",
  );
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { idProblem, MAX_ID_LENGTH } from "./ids.ts";

for (const id of ["a", "dev", "dev-2", "0", "a".repeat(MAX_ID_LENGTH), "kube"]) {
  Deno.test(`'${id}' is a valid id`, () => assert.equal(idProblem(id), undefined));
}

const BAD = ["", "Dev", "-a", "a-", "a_b", "a.b", "a b", "é", "default", "kube-system"];

for (const id of [...BAD, "a".repeat(MAX_ID_LENGTH + 1)]) {
  Deno.test(`'${id}' is not a valid id`, () => assert.match(idProblem(id) ?? "", /^must /));
}

Deno.test("an id is valid if and only if it is a DNS-1123 label that is not reserved", () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/);
  fc.assert(fc.property(label, (id) => {
    const reserved = id === "default" || id.startsWith("kube-");
    assert.equal(idProblem(id) === undefined, !reserved);
  }));
  // Labels with one character changed, so that many are still labels.
  fc.assert(
    fc.property(
      label,
      fc.nat(),
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
      (id, at, other) => {
        const index = at % id.length;
        const changed = id.slice(0, index) + other + id.slice(index + 1);
        const fine = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(changed) &&
          changed !== "default" &&
          !changed.startsWith("kube-");
        assert.equal(idProblem(changed) === undefined, fine, JSON.stringify(changed));
      },
    ),
    { numRuns: 1_000 },
  );
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { MpcError } from "./errors.ts";
import type { Filter } from "./filter.ts";
import { ENVIRONMENT_FIELDS, OPERATION_FIELDS } from "./filter_fields.ts";
import { parseFilter, parseOrderBy } from "./filter_parser.ts";

const NOW = Date.UTC(2030, 0, 1);

const state = (value: string): Filter => ({ op: "=", path: ["state"], value });

const GOOD: readonly (readonly [string, Filter | undefined])[] = [
  ["", undefined],
  ["  ", undefined],
  ["state = READY", state("READY")],
  ["state=READY", state("READY")],
  ['name = "environments/*"', { op: "=", path: ["name"], value: "environments/*" }],
  ["labels.team = web", { op: "=", path: ["labels", "team"], value: "web" }],
  ["labels:team", { op: ":", path: ["labels"], value: "team" }],
  ["expire_time:*", { op: ":", path: ["expireTime"], value: "*" }],
  ["deletion_protection = true", { op: "=", path: ["deletionProtection"], value: true }],
  ["create_time > 2030-01-01T00:00:00Z", {
    op: ">",
    path: ["createTime"],
    value: Date.UTC(2030, 0, 1),
  }],
  ["NOT state = READY", { op: "not", term: state("READY") }],
  ["-state = READY", { op: "not", term: state("READY") }],
  ["state = READY state = DELETING", { op: "and", terms: [state("READY"), state("DELETING")] }],
  ["state = READY AND state = CREATING OR state = DELETING", {
    op: "and",
    terms: [state("READY"), { op: "or", terms: [state("CREATING"), state("DELETING")] }],
  }],
  ["state = ENVIRONMENT_STATE_READY", state("READY")],
  ['labels."a.b/c" = x', { op: "=", path: ["labels", "a.b/c"], value: "x" }],
  ['labels."say \\"hi\\"" != "x y"', {
    op: "!=",
    path: ["labels", 'say "hi"'],
    value: "x y",
  }],
  ["labels.'team':*", { op: ":", path: ["labels", "team"], value: "*" }],
  ['labels."AND":web', { op: "=", path: ["labels", "AND"], value: "web" }],
  ["labels:*", { op: ":", path: ["labels"], value: "*" }],
  ["name:*", {
    op: "and",
    terms: [{ op: ":", path: ["name"], value: "*" }, { op: "!=", path: ["name"], value: "" }],
  }],
  ["deletion_protection:*", { op: "=", path: ["deletionProtection"], value: true }],
  ["state:*", { op: ":", path: ["state"], value: "*" }],
  ["stalled:*", state("*_FAILED")],
  ["stalled:false", { op: "not", term: state("*_FAILED") }],
  ["labels.team:web", { op: "=", path: ["labels", "team"], value: "web" }],
  ["labels.team:*", { op: ":", path: ["labels", "team"], value: "*" }],
  ["create_time > 2030-01-31t12:00:00.5+01:00", {
    op: ">",
    path: ["createTime"],
    value: Date.UTC(2030, 0, 31, 11, 0, 0, 500),
  }],
  ["(state = READY AND state = CREATING) OR state = DELETING", {
    op: "or",
    terms: [{ op: "and", terms: [state("READY"), state("CREATING")] }, state("DELETING")],
  }],
];

for (const [text, expected] of GOOD) {
  Deno.test(`parseFilter() reads '${text}'`, () => {
    assert.deepEqual(parseFilter(text, ENVIRONMENT_FIELDS, NOW), expected);
  });
}

Deno.test("parseFilter() translates 'stalled' by the kind of resource", () => {
  assert.deepEqual(
    parseFilter("stalled = true", ENVIRONMENT_FIELDS, NOW),
    state("*_FAILED"),
    "a failed environment stays so",
  );
  const silent = parseFilter("stalled != false", OPERATION_FIELDS, NOW);
  assert.deepEqual(silent, {
    op: "or",
    terms: [state("NEEDS_ATTENTION"), {
      op: "and",
      terms: [
        { op: "=", path: ["endTime"], value: null },
        { op: "<", path: ["updateTime"], value: NOW - 300_000 },
        {
          op: "or",
          terms: [
            state("PENDING"),
            { op: "!=", path: ["waitingReason"], value: "" },
            { op: "<", path: ["deadline"], value: NOW - 300_000 },
          ],
        },
      ],
    }],
  });
  assert.deepEqual(parseFilter("stalled = false", OPERATION_FIELDS, NOW), {
    op: "not",
    term: silent,
  });
});

Deno.test("parseFilter() takes 'done' for operations that have ended", () => {
  const ended = {
    op: "or",
    terms: ["SUCCEEDED", "FAILED", "CANCELLED", "NEEDS_ATTENTION"].map(state),
  };
  for (const text of ["done = true", "done:true", "done:*", "done != false"]) {
    assert.deepEqual(parseFilter(text, OPERATION_FIELDS, NOW), ended, text);
  }
  assert.deepEqual(parseFilter("done = false", OPERATION_FIELDS, NOW), { op: "not", term: ended });
});

const BAD: readonly (readonly [string, RegExp])[] = [
  ["colour = red", /unknown field 'colour' \(known: name.*at character 1/],
  ["state", /'state' without a comparison.*at character 1/],
  ["state = ", /an unexpected end at character/],
  ["state = READY)", /unexpected '\)' at character 14/],
  ["(state = READY", /an unexpected end/],
  ["state = RED", /'RED', which is none of CREATING/],
  ["create_time > yesterday", /'yesterday', which is no time/],
  ["create_time > 2030-01-31T12:00:00", /which is no time such as 2030-01-31T12:00:00Z/],
  ["create_time > 2030-02-31", /'2030-02-31', which is no time/],
  ["deletion_protection = maybe", /neither true nor false/],
  ['name = "open', /a string that does not end at character 8/],
  ["labels = x", /use labels\.key/],
  ['labels."a"."b" = x', /'labels\."a"\."b"', where 'labels' has no such depth, at character 1/],
  ['labels."a". = x', /a '\.' without a name behind it at character 12/],
  ['labels."open = x', /a string that does not end at character 8/],
  ['state."x" = READY', /unknown field 'state\."x"'/],
  ["stalled > true", /'> true' where '= true' or '= false' is meant/],
  ["stalled = yes", /'= yes' where '= true'/],
  ["has(state)", /there are no functions/],
  ["a".repeat(3_000), /more than 2000 characters/],
  [`${"(".repeat(40)}state = READY${")".repeat(40)}`, /more than 20 levels/],
];

for (const [text, message] of BAD) {
  Deno.test(`parseFilter() rejects '${text.slice(0, 40)}' and says where and why`, () => {
    assert.throws(() => parseFilter(text, ENVIRONMENT_FIELDS, NOW), {
      code: "INVALID_ARGUMENT",
      reason: "INVALID_FILTER",
      message,
    });
  });
}

Deno.test("parseFilter() returns a filter or an error for any text", () => {
  const pieces = fc.constantFrom(
    "state",
    "=",
    "READY",
    "(",
    ")",
    "AND",
    "OR",
    "NOT",
    "-",
    '"',
    ":",
    "labels.x",
    " ",
    "\\",
  );
  const text = fc.oneof(fc.string(), fc.array(pieces).map((parts) => parts.join(" ")));
  fc.assert(
    fc.property(text, (text) => {
      try {
        parseFilter(text, ENVIRONMENT_FIELDS, NOW);
      } catch (error) {
        if (!(error instanceof MpcError)) throw error;
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("parseOrderBy() reads keys with and without a direction", () => {
  assert.deepEqual(
    parseOrderBy("list environments", "create_time desc, name", ENVIRONMENT_FIELDS),
    [
      { path: ["createTime"], descending: true },
      { path: ["name"], descending: false },
    ],
  );
  for (const bad of ["colour", "name up", "labels", "name,,"]) {
    assert.throws(() => parseOrderBy("list environments", bad, ENVIRONMENT_FIELDS), {
      code: "INVALID_ARGUMENT",
    });
  }
});

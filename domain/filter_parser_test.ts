import assert from "node:assert/strict";
import fc from "fast-check";
import { MpcError } from "./errors.ts";
import type { Filter } from "./filter.ts";
import {
  AUDIT_FIELDS,
  ENVIRONMENT_FIELDS,
  OPERATION_FIELDS,
  TOKEN_FIELDS,
  WORKLOAD_FIELDS,
} from "./filter_fields.ts";
import { parseFilter, parseOrderBy } from "./filter_parser.ts";
import { LIST_ORDERS } from "./list_orders.ts";

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
  const parse = (text: string) =>
    parseOrderBy("list environments", text, ENVIRONMENT_FIELDS, LIST_ORDERS.environments);
  const key = (name: string, descending = false) => ({ path: [name], descending });
  const rows = [
    ["", []],
    ["name", [key("name")]],
    ["create_time desc", [key("createTime", true)]],
    ["state asc,create_time  desc", [key("state"), key("createTime", true)]],
    ["create_time desc, name desc", [key("createTime", true)]],
    ["state desc, create_time, name", [key("state", true), key("createTime")]],
  ] as const;
  for (const [text, keys] of rows) assert.deepEqual(parse(text), keys, text);
});

Deno.test("parseOrderBy() rejects orders that the list does not have, and names those it has", () => {
  const refused = [
    ...["colour", "name up", "labels", "stalled", "name,,", "state, state", "name, state"],
    ...["create_time desc, name", "state, uid", "state, create_time, uid"],
  ];
  for (const text of refused) {
    assert.throws(
      () => parseOrderBy("list workloads", text, WORKLOAD_FIELDS, LIST_ORDERS.workloads),
      (error) => {
        assert.ok(error instanceof MpcError && error.code === "INVALID_ARGUMENT", text);
        const [violation] = error.violations;
        assert.equal(violation?.field, "order_by");
        assert.match(violation.hint, /^must be one of 'name', .*'image', .*'state, create_time';/);
        return true;
      },
    );
  }
});

Deno.test("every order of a list is made of fields that its users can name", () => {
  const fields = {
    environments: ENVIRONMENT_FIELDS,
    workloads: WORKLOAD_FIELDS,
    operations: OPERATION_FIELDS,
    tokens: TOKEN_FIELDS,
    audit: AUDIT_FIELDS,
  };
  for (const [name, known] of Object.entries(fields)) {
    const paths = Object.values(known).flatMap((field) =>
      field.type === "derived" || field.type === "map" ? [] : [field.path.join(".")]
    );
    for (const order of LIST_ORDERS[name as keyof typeof fields]) {
      for (const path of order.split(", ")) assert.ok(paths.includes(path), `${name}: ${path}`);
    }
  }
});

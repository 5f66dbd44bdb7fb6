import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import fc from "fast-check";

/** Messages that are nested more deeply are left out. */
const MAX_DEPTH = 4;

/** JSON values that fit no field, or hardly one; a typed client could not send them. */
const WRONG = [
  ...["null", "true", "0", "-0", "1.5", "1e400", "-1e400", "9007199254740993", "[]", "{}", '""'],
  ...['"NaN"', '"Infinity"', '"-1"', '"0x1"', '"\\ud800"', '"\\u0000"', "[null]", "[[[[]]]]"],
  ...['{"__proto__":"x"}', '{"__proto__":{"polluted":true}}', '{"constructor":"x","toString":1}'],
  ...[
    '{"":""}',
    '{"a\\ud800":"x"}',
    '{"a":"1","a":"2"}',
    '"9999-99-99T99:99:99Z"',
    '"1e9s"',
    '"s"',
  ],
];

const LIKELY: Readonly<Record<string, readonly string[]>> = {
  ...{ environment_id: ["dev", "a", "b"], workload_id: ["web", "x"], image: ["nginx:1"] },
  ...{ parent: ["environments/dev", "environments/-"], cpu: ["1"], memory: ["1Gi"] },
  ...{ etag: [""], plan_hash: [""], page_token: [""], resume_token: [""] },
  ...{ filter: ["", "state = READY", "stalled = true"], order_by: ["", "create_time desc"] },
};

/**
 * JSON that is almost a message of a type: its fields with valid and invalid values, under either
 * of their two names, sometimes twice, sometimes next to unknown fields. It is text, because
 * JavaScript objects cannot have duplicate keys, and hardly a `__proto__` of their own.
 */
export function arbitraryJson(
  desc: DescMessage,
  names: readonly string[],
  depth = 0,
): fc.Arbitrary<string> {
  const fields = desc.fields.map((field) =>
    fc.tuple(
      fc.constantFrom(field.jsonName, field.jsonName, field.name),
      fc.oneof(
        { weight: 12, arbitrary: rightJson(field, names, depth) },
        { weight: 1, arbitrary: fc.constantFrom(...WRONG) },
      ),
    ).map(([name, value]) => `${JSON.stringify(name)}:${value}`)
  );
  const unknown = fc.constantFrom('"nope":1', '"__proto__":{}', '"@type":"x"', '"":0');
  return fc.tuple(
    fc.tuple(...fields.map((field) => fc.option(field, { freq: 3 }))),
    fc.oneof(
      { weight: 19, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.tuple(unknown) },
    ),
  ).map(([parts, extra]) =>
    // null from fc.option is a field that is left out.
    `{${[...parts.filter((part) => part !== null), ...extra].join(",")}}`
  );
}

function rightJson(
  field: DescField,
  names: readonly string[],
  depth: number,
): fc.Arbitrary<string> {
  const one = (message: DescMessage | undefined, type: ScalarType | undefined) =>
    message
      ? messageJson(message, names, depth)
      : type === undefined
      ? fc.constantFrom("0", "1", "99", '"NOPE"')
      : scalarJson(field, type, names);
  switch (field.fieldKind) {
    case "scalar":
      return one(undefined, field.scalar);
    case "enum":
      return one(undefined, undefined);
    case "message":
      return one(field.message, undefined);
    case "list":
      return fc.array(one(field.message, field.scalar), { maxLength: 3 })
        .map((items) => `[${items.join(",")}]`);
    case "map":
      return fc.array(
        fc.tuple(
          fc.constantFrom("team", "a.b/c", "", "__proto__", "é"),
          one(field.message, field.scalar),
        ),
        { maxLength: 3 },
      ).map((entries) =>
        `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`
      );
  }
}

function messageJson(
  message: DescMessage,
  names: readonly string[],
  depth: number,
): fc.Arbitrary<string> {
  switch (message.typeName) {
    case "google.protobuf.Duration":
      return fc.constantFrom('"3600s"', '"1.5s"', '"-1s"', '"315576000001s"', '"1e3s"', '"1"');
    case "google.protobuf.Timestamp":
      return fc.constantFrom(
        ...['"2031-01-01T00:00:00Z"', '"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59.999999999Z"'],
        ...['"10000-01-01T00:00:00Z"', '"now"', '"2031-02-30T00:00:00Z"'],
      );
    case "google.protobuf.FieldMask":
      return fc.constantFrom(
        '"labels"',
        '"*"',
        '""',
        '"spec.image,labels"',
        '"__proto__"',
        '"a_b"',
      );
  }
  return depth >= MAX_DEPTH ? fc.constant("{}") : arbitraryJson(message, names, depth + 1);
}

function scalarJson(
  field: DescField,
  type: ScalarType,
  names: readonly string[],
): fc.Arbitrary<string> {
  if (type === ScalarType.BOOL) return fc.constantFrom("true", "false");
  if (type !== ScalarType.STRING) {
    return fc.constantFrom("0", "1", "2", "80", "-1", "2147483647", "-2147483648", '"3"', "1e2");
  }
  const likely = field.name === "name" ? names : LIKELY[field.name];
  const wild = fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 30 }));
  return (likely
    ? fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...likely) }, { weight: 1, arbitrary: wild })
    : wild).map((text) => JSON.stringify(text));
}

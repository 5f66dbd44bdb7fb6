import {
  create,
  type DescField,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import fc from "fast-check";

/** Messages that are nested more deeply are left out. */
const MAX_DEPTH = 4;

/** Texts that have broken servers before: as names, labels, filters, paths, numbers. */
const HOSTILE = [
  ...["", " ", ".", "..", "../../etc/passwd", "%00", "\0", "\n", "\u202e", "😀", "é".repeat(50)],
  ...["__proto__", "constructor", "hasOwnProperty", "$.a", "$where", "'; DROP TABLE x; --", '"'],
  ...["environments/", "environments/-", "environments/a/b/c", "/environments/dev", "operations/x"],
  ...["default", "kube-system", "A".repeat(10_000), "a".repeat(63), "-a", "a-", "0", "null", "NaN"],
  ...[
    "state = READY",
    "labels.a = b",
    'name = "*"',
    "((((",
    "NOT NOT",
    "a AND",
    "create_time desc",
  ],
  ...["stalled = true", "image : x", "labels.'", 'labels."', "state = \\", "1e999", "-1", "1Gi"],
  ...["nginx:1", "nginx:crash", "nginx@sha256:0", "http://x", "{}", "[]", "<script>", "${x}"],
  ...["e1:9999999", btoa("e1:5"), btoa("e1:-1"), btoa("[1,2,3]"), btoa('["x",[],"y"]'), "====="],
];

/** Any message of a type: every field with values that are valid, almost valid, or hostile. */
export function arbitraryMessage<Desc extends DescMessage>(
  desc: Desc,
  names: readonly string[],
): fc.Arbitrary<MessageShape<Desc>> {
  return initOf(desc, names, 0).map((init) => create(desc, init as MessageInitShape<Desc>));
}

function initOf(
  desc: DescMessage,
  names: readonly string[],
  depth: number,
): fc.Arbitrary<Record<string, unknown>> {
  const fields = desc.fields.filter(({ oneof }) => !oneof || desc.oneofs.every((o) => o !== oneof))
    .map((
      field,
    ): [string, fc.Arbitrary<unknown>] => [field.localName, valueOf(field, names, depth)]);
  const oneofs = desc.oneofs.map((oneof): [string, fc.Arbitrary<unknown>] => [
    oneof.localName,
    fc.oneof(
      ...oneof.fields.map((field) =>
        valueOf(field, names, depth).map((value) => ({ case: field.localName, value }))
      ),
    ),
  ]);
  return fc.record(Object.fromEntries([...fields, ...oneofs]), { requiredKeys: [] });
}

function valueOf(
  field: DescField,
  names: readonly string[],
  depth: number,
): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case "scalar":
      return likely(field, names) ?? scalar(field.scalar, names);
    case "enum":
      return fc.constantFrom(0, 1, 2, 3, 99, -1);
    case "message":
      return message(field.message, names, depth);
    case "list":
      return mostly(
        [],
        fc.array(
          field.listKind === "message"
            ? message(field.message, names, depth)
            : field.listKind === "scalar"
            ? scalar(field.scalar, names)
            : fc.constantFrom(0, 1, 99),
          { maxLength: 4 },
        ).map((list) => list.filter((item) => item !== undefined)),
      );
    case "map":
      return mostly(
        {},
        fc.dictionary(
          text(names).filter((key) => key !== "__proto__"),
          field.mapKind === "message"
            ? message(field.message, names, depth)
            : field.mapKind === "scalar"
            ? scalar(field.scalar, names)
            : fc.constant(0),
          { maxKeys: 4 },
        ),
      );
  }
}

function mostly<T>(plain: T, wild: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(plain) }, { weight: 1, arbitrary: wild });
}

/** Mostly plausible values, because otherwise hardly a request would pass the first check. */
const LIKELY: Readonly<Record<string, readonly string[]>> = {
  ...{ etag: [""], plan_hash: [""], page_token: [""], resume_token: [""], uid: [""] },
  ...{ request_id: ["", "f47ac10b-58cc-4372-a567-0e02b2c3d479"] },
  ...{ environment_id: ["dev", "a", "b", "c"], workload_id: ["web", "x", "y"] },
  ...{ image: ["nginx:1", "nginx:missing", "nginx:flaky"], cpu: ["", "1"], memory: ["", "1Gi"] },
  ...{ config: ["settings"], secret: ["keys"], host: ["web.example.com"], version: ["1.2.3"] },
  ...{ parent: ["environments/dev", "environments/a", "environments/-"] },
  ...{ order_by: ["", "create_time desc", "name"], protocol: ["", "TCP", "UDP"] },
  ...{ filter: ["", "state = READY", "stalled = true", "labels.team = web", 'name = "*e*"'] },
};

function likely(field: DescField, names: readonly string[]): fc.Arbitrary<unknown> | undefined {
  const values = field.name === "name" ? names : LIKELY[field.name];
  if (!values) return undefined;
  return fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...values) },
    { weight: 1, arbitrary: text(names) },
  );
}

function message(
  desc: DescMessage,
  names: readonly string[],
  depth: number,
): fc.Arbitrary<unknown> {
  if (desc.typeName === "google.protobuf.Duration" || desc.typeName.endsWith(".Timestamp")) {
    return mostly(
      { seconds: 3_600n, nanos: 0 },
      fc.record({
        seconds: fc.constantFrom(0n, 1n, -1n, 3_600n, 315_576_000_001n, 2n ** 62n, -(2n ** 62n)),
        nanos: fc.constantFrom(0, 1, 999_999_999, -1, 2 ** 31 - 1),
      }),
    );
  }
  if (desc.typeName === "google.protobuf.FieldMask") {
    const path = fc.oneof(fc.constantFrom("name", "state", "labels.team", "*"), text(names));
    return mostly({ paths: [] }, fc.record({ paths: fc.array(path, { maxLength: 3 }) }));
  }
  if (desc.typeName === "google.protobuf.Struct") return mostly({}, struct(names));
  return depth >= MAX_DEPTH ? fc.constant(undefined) : initOf(desc, names, depth + 1);
}

/** JSON, which is the TypeScript type of a Struct. */
function struct(names: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  const key = text(names).filter((key) => key !== "__proto__");
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: MAX_DEPTH },
      fc.oneof(fc.constantFrom(null, true, 0, -1, 1e300), text(names)),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 3 }),
    ),
  }));
  return fc.dictionary(key, value, { maxKeys: 4 });
}

function scalar(type: ScalarType, names: readonly string[]): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return text(names);
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 100 });
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return fc.constantFrom(0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n));
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.constantFrom(0n, 1n, 2n ** 64n - 1n);
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return fc.constantFrom(0, -1, NaN, Infinity);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.constantFrom(0, 1, 2 ** 32 - 1);
    default:
      return fc.oneof(fc.constantFrom(0, 1, 2, 80, 1_000, -1, 2 ** 31 - 1, -(2 ** 31)), fc.nat(9));
  }
}

function text(names: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...names) },
    { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }).map(wellFormed) },
    { weight: 1, arbitrary: fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/) },
  );
}

/** Protobuf strings contain no lone surrogates. */
const wellFormed = (text: string): string => text.toWellFormed();

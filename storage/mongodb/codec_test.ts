import assert from "node:assert/strict";
import { BSON, ObjectId } from "mongodb";
import type { JsonObject } from "@mpc/domain";
import { Codec } from "./codec.ts";

interface Pet {
  readonly name: string;
  readonly legs: number;
  readonly owner: { readonly first: string };
}

/** Schema 1 had `{name, owner}` with the owner's name as text; schema 2 counted legs. */
const pets = new Codec<Pet>({
  upgrades: [
    (value) => ({ ...value, legs: 4 }),
    ({ owner = "", ...value }) => ({ ...value, owner: { first: owner } }),
  ],
});

const stored = (schema: number, value: JsonObject) => ({
  _id: String(value["name"]),
  schema,
  version: 7,
  write: new ObjectId(),
  value,
});

Deno.test("a codec upgrades documents of each earlier schema, and leaves those of its own", () => {
  assert.equal(pets.schema, 3);
  const rows: readonly (readonly [number, JsonObject, Pet])[] = [
    [1, { name: "a", owner: "ann" }, { name: "a", legs: 4, owner: { first: "ann" } }],
    [2, { name: "b", legs: 3, owner: "bob" }, { name: "b", legs: 3, owner: { first: "bob" } }],
    [3, { name: "c", legs: 2, owner: { first: "c" } }, {
      name: "c",
      legs: 2,
      owner: { first: "c" },
    }],
  ];
  for (const [schema, value, expected] of rows) {
    assert.deepEqual(pets.decode(stored(schema, value)), { value: expected, version: 7 });
  }
});

Deno.test("a codec writes its own schema, so that a replace upgrades the document", () => {
  const { value } = pets.decode(stored(1, { name: "a", owner: "ann" }));
  assert.deepEqual(pets.encode(value), {
    schema: 3,
    value: { name: "a", legs: 4, owner: { first: "ann" } },
  });
});

Deno.test("a codec refuses a document that a newer version wrote", () => {
  assert.throws(() => pets.decode(stored(4, { name: "a" })), {
    code: "FAILED_PRECONDITION",
    reason: "STORE_TOO_NEW",
    message: /^Cannot read 'a': a newer version wrote it \(schema 4\), this one knows schema 3/,
  });
});

Deno.test("a codec names a document that has no value", () => {
  const { value: _, ...damaged } = stored(3, { name: "a" });
  assert.throws(() => pets.decode(damaged), { code: "DATA_LOSS", reason: "STORE_CORRUPT" });
});

Deno.test("a codec stores keys that mean something to the driver, and reads them again", () => {
  const keys = [...Object.getOwnPropertyNames(Object.prototype), "_bsontype", "$ref", "a.b", "%5F"];
  const value = JSON.parse(
    `{"name": "a", ${keys.map((key) => `${JSON.stringify(key)}: [{}]`).join(", ")}}`,
  );
  const fields = pets.encode(value);
  const bytes = BSON.serialize({ _id: "a", version: 7, ...fields });
  // As the driver reads replies.
  const found = BSON.deserialize(bytes, { fieldsAsRaw: { firstBatch: true } });
  assert.deepEqual(pets.decode(found as never), { value, version: 7 });
});

import assert from "node:assert/strict";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { EnvironmentSchema, WorkloadSchema } from "@mpc/proto";
import { decodeProblem } from "./read_message.ts";

Deno.test("decodeProblem() describes problems that a user can fix", async (t) => {
  const rows: readonly [
    problem: string,
    schema: typeof EnvironmentSchema | typeof WorkloadSchema,
    json: JsonValue,
  ][] = [
    ["there is no field 'labls'. Did you mean 'labels'?", EnvironmentSchema, { labls: {} }],
    ["there is no field 'colour'", EnvironmentSchema, { colour: "red" }],
    [
      "there is no field 'replica'. Did you mean 'replicas'?",
      WorkloadSchema,
      { spec: { replica: 2 } },
    ],
    [
      "'replicas': expected number (int32), got \"many\"",
      WorkloadSchema,
      { spec: { replicas: "many" } },
    ],
    [
      '"8h" is not a duration: must be in seconds, such as "28800s"',
      EnvironmentSchema,
      { ttl: "8h" },
    ],
  ];
  for (const [problem, schema, json] of rows) {
    await t.step(problem, () => {
      try {
        fromJson(schema, json);
      } catch (error) {
        return assert.equal(decodeProblem(error, schema).problem, problem);
      }
      assert.fail(`${JSON.stringify(json)} must not decode as ${schema.typeName}`);
    });
  }
});

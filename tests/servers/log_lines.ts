import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import schema from "../../docs/log-line.schema.json" with { type: "json" };

const ajv = new Ajv2020({ allErrors: true });
formats.default(ajv);
const isLine = ajv.compile(schema);

/** A log line. */
export type Line = Readonly<Record<string, unknown>>;

/** Parses the log lines of a process so far, and checks each against their schema. */
export function checkedLines(output: string): readonly Line[] {
  return output.split("\n").slice(0, -1).map((text) => {
    const line = JSON.parse(text);
    assert.ok(isLine(line), `${text}: ${ajv.errorsText(isLine.errors)}`);
    return line;
  });
}

/** The catalogue of reasons has nothing that the product does not use; the compiler sees the rest. */
import assert from "node:assert/strict";
import {
  ENVIRONMENT_MOVES,
  EVENT_REASONS,
  OPERATION_MOVES,
  REASONS,
  stateReason,
  WORKLOAD_MOVES,
} from "@mpc/domain";
import { readSources } from "./rooms.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const CATALOGUES = ["domain/reasons.ts", "domain/event_reasons.ts"];

Deno.test("every reason of the catalogue is used by the product", async () => {
  const used = await stringsOfProduct();
  const reasons = Object.values(REASONS).flatMap((ofCode) => Object.keys(ofCode));
  assert.ok(reasons.length > 80, "the catalogue is not empty");
  assert.deepEqual(reasons.filter((reason) => !used.has(reason)), []);
});

Deno.test("every reason of events and conditions is used by the product", async () => {
  const used = await stringsOfProduct();
  const derived = new Set([
    ...[...Object.keys(ENVIRONMENT_MOVES), ...Object.keys(WORKLOAD_MOVES)].map(stateReason),
    ...Object.keys(OPERATION_MOVES).map((state) => `Operation${stateReason(state)}`),
  ]);
  const unused = Object.keys(EVENT_REASONS).filter((it) => !used.has(it) && !derived.has(it));
  assert.deepEqual(unused, []);
});

/** Every double-quoted word of the product's code; comments quote reasons with backticks. */
async function stringsOfProduct(): Promise<ReadonlySet<string>> {
  const sources = await readSources(ROOT);
  const product = sources.filter(({ path }) =>
    !path.startsWith("tests/") && !path.endsWith("_test.ts") && !path.startsWith("proto/") &&
    !CATALOGUES.includes(path)
  );
  return new Set(
    product.flatMap(({ text }) => [...text.matchAll(/"(\w+)"/g)].map(([, it]) => it!)),
  );
}

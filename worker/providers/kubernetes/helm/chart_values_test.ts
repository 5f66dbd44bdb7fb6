import assert from "node:assert/strict";
import fc from "fast-check";
import { arbitrarySpec } from "../../../../tests/fakes/arbitrary_spec.ts";
import { aWorkloadIntent } from "../../../../tests/fakes/intents.ts";
import { chartValues } from "./chart_values.ts";

Deno.test("chartValues() contains no null, which would remove a default", () => {
  fc.assert(fc.property(arbitrarySpec(), (spec) => {
    const values = chartValues(aWorkloadIntent(spec));
    assert.doesNotMatch(JSON.stringify(values, (_, value) => value ?? "NULL"), /NULL/);
    assert.equal("replicas" in values, spec.autoscaling === null);
  }));
});

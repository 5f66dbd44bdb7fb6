import assert from "node:assert/strict";
import { acceptsGzip } from "./gzip.ts";

for (
  const [accepted, accepts] of [
    [null, false],
    ["", false],
    ["gzip", true],
    ["br, GZIP;q=0.5", true],
    ["gzip;q=0, br", false],
    ["gzip; q=0.0", false],
    ["x-gzip", false],
    ["identity", false],
  ] as const
) {
  Deno.test(`'accept-encoding: ${accepted}' ${accepts ? "asks" : "does not ask"} for gzip`, () => {
    assert.equal(acceptsGzip(accepted), accepts);
  });
}

import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EnvironmentSchema } from "@mpc/proto";
import { expiryChange } from "./expiry.ts";
import type { Manifest } from "./manifest.ts";

const HOUR = 3_600_000;
const NAME = "environments/dev";
const NOW = Date.now();

const file = (ttlMs: number): Manifest => ({
  kind: "environment",
  name: NAME,
  place: "dev.yaml",
  resource: create(EnvironmentSchema, { name: NAME, ttl: durationFromMs(ttlMs) }),
});

const live = (createMs: number, expireMs: number | undefined) =>
  create(EnvironmentSchema, {
    name: NAME,
    createTime: timestampFromMs(createMs),
    ...(expireMs !== undefined && { expireTime: timestampFromMs(expireMs) }),
  });

Deno.test("a ttl that shortens an extended environment is remarked on; others are not", () => {
  for (const expiry of [NOW + 9 * HOUR, undefined]) {
    const shorter = expiryChange(file(2 * HOUR), live(NOW - HOUR, expiry));
    assert.match(shorter?.note ?? "", /earlier than at present: the file's 'ttl'/);
  }
  const longer = expiryChange(file(9 * HOUR), live(NOW - HOUR, NOW + HOUR));
  assert.equal(longer?.note, "");
  assert.equal(expiryChange(file(2 * HOUR), live(NOW - HOUR, NOW + HOUR)), undefined);
});

Deno.test("a ttl that has passed since the creation is refused by field and file, unless it is what holds", () => {
  const passed = () => expiryChange(file(2 * HOUR), live(NOW - 3 * HOUR, NOW + HOUR));
  assert.throws(passed, {
    message: /^Cannot apply 'environments\/dev': 'ttl' in 'dev\.yaml' counts from its creation and/,
    hint: "Remove 'ttl' from the file to keep the present expiry, or set a longer one",
  });
  assert.equal(expiryChange(file(2 * HOUR), live(NOW - 2 * HOUR, NOW)), undefined);
});

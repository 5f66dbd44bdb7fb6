import assert from "node:assert/strict";
import type { Payload } from "@temporalio/common";
import { rejectsWith } from "../../../tests/fakes/rejects.ts";
import { encryptingCodec } from "./encrypting_codec.ts";

const key = () => crypto.getRandomValues(new Uint8Array(32)).toBase64();

const bytes = (text: string) => new TextEncoder().encode(text);

const PAYLOAD: Payload = {
  metadata: { encoding: bytes("json/plain") },
  data: bytes('{"operation":"operations/1"}'),
};

Deno.test("an encrypted payload can be read with the key, and not without it", async () => {
  const codec = await encryptingCodec(key());
  const [sealed] = await codec.encode([PAYLOAD]);
  assert.ok(!new TextDecoder().decode(sealed!.data!).includes("operations"));
  assert.deepEqual(await codec.decode([sealed!]), [PAYLOAD]);
  const other = await encryptingCodec(key());
  await rejectsWith(other.decode([sealed!]), "FAILED_PRECONDITION", "PAYLOAD_KEY");
});

Deno.test("equal payloads are encrypted differently, and a modified one is rejected", async () => {
  const codec = await encryptingCodec(key());
  const [one, two] = await codec.encode([PAYLOAD, PAYLOAD]);
  assert.notDeepEqual(one!.data, two!.data);
  one!.data![20]! ^= 1;
  await assert.rejects(codec.decode([one!]), { name: "OperationError" });
});

Deno.test("a payload that was written without encryption is read unchanged", async () => {
  const codec = await encryptingCodec(key());
  assert.deepEqual(await codec.decode([PAYLOAD]), [PAYLOAD]);
});

for (const text of ["", "c2hvcnQ=", "not base64!"]) {
  Deno.test(`the key '${text}' is rejected with how to generate one`, async () => {
    const { message } = await rejectsWith(
      encryptingCodec(text),
      "INVALID_ARGUMENT",
      "PAYLOAD_KEY_INVALID",
    );
    assert.match(message, /openssl rand -base64 32/);
  });
}

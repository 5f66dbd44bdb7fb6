import assert from "node:assert/strict";
import { grpcMessage } from "./status_message.ts";

Deno.test("grpcMessage() encodes only the percent sign and what is not printable ASCII", async (t) => {
  const rows: readonly (readonly [message: string, header: string])[] = [
    ["Cannot get 'a', b; c: d/e?", "Cannot get 'a', b; c: d/e?"],
    ["100 %", "100 %25"],
    ["grün\n", "gr%C3%BCn%0A"],
    ["\u{1F600}", "%F0%9F%98%80"],
    ["\uD800", "%EF%BF%BD"],
  ];
  for (const [message, header] of rows) {
    await t.step(JSON.stringify(message), () => {
      assert.equal(grpcMessage(message), header);
      assert.equal(decodeURIComponent(header), message.toWellFormed());
    });
  }
});

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ConnectionError, ERROR_CODE } from "./http2_frames.ts";
import { HeaderBlocks } from "./header_blocks.ts";

const check = (blocks: HeaderBlocks, hex: string) => {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  blocks.check(bytes, 0, bytes.length);
};

const refusal = (run: () => void): ConnectionError => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ConnectionError);
    return error;
  }
  assert.fail("the block was accepted");
};

// RFC 7541, appendices C.3 and C.4: three requests on one connection; the second and the third use
// entries that the previous one has added to the table.
for (
  const [coding, blocks] of [
    ["plain", [
      "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "8286 84be 5808 6e6f 2d63 6163 6865",
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ]],
    ["Huffman", [
      "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
      "8286 84be 5886 a8eb 1064 9cbf",
      "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ]],
  ] as const
) {
  Deno.test(`blocks with ${coding} strings are tracked, with the dynamic table`, () => {
    const connection = new HeaderBlocks(1_000);
    for (const block of blocks) check(connection, block);
    // The table now holds three fields: indices 62 to 64.
    check(connection, "be bf c0");
    refusal(() => check(connection, "c1"));
  });

  Deno.test(`fields with ${coding} strings count with their decoded size`, () => {
    // :method, :scheme, :path and :authority: 42 + 43 + 38 + 57 bytes.
    check(new HeaderBlocks(180), blocks[0]);
    const { code } = refusal(() => check(new HeaderBlocks(179), blocks[0]));
    assert.equal(code, ERROR_CODE.ENHANCE_YOUR_CALM);
  });
}

Deno.test("old entries are evicted as in the RFC's example (C.5)", () => {
  const connection = new HeaderBlocks(10_000);
  check(connection, "3fe1 01"); // A table of 256 bytes.
  check(
    connection,
    "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
  );
  check(connection, "4803 3330 37c1 c0bf");
  refusal(() => check(connection, "c2"));
});

for (
  const [what, block] of [
    ["index 0", "80"],
    ["an index past the table", "be"],
    ["an index that overflows", "ff ff ff ff ff ff 0f"],
    ["an integer without its end", "ff"],
    ["a name without its end", "00 05 61"],
    ["a field without a value", "00 01 61"],
    ["a table that is larger than announced", "3f e2 1f"],
    ["a table size update after a field", "82 20"],
    ["Huffman padding of zeros", "00 81 00 00"],
    ["Huffman padding of a whole byte", "00 82 1f ff 00"],
    ["the end of a Huffman string as a symbol", "00 84 ff ff ff fc 00"],
  ] as const
) {
  Deno.test(`a block with ${what} is rejected`, () => {
    assert.equal(refusal(() => check(new HeaderBlocks(1_000), block)).code, 9);
  });
}

Deno.test("a block that refers to a large field repeatedly is rejected", () => {
  const connection = new HeaderBlocks(64 * 1024);
  check(connection, `40 01 61 7f b9 16 ${"62".repeat(3_000)}`);
  check(connection, "be".repeat(20));
  refusal(() => check(connection, "be".repeat(40)));
});

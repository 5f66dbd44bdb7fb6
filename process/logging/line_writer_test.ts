import assert from "node:assert/strict";
import { LineWriter } from "./line_writer.ts";

/** An output that takes what the test lets it. */
class ScriptedOutput {
  text = "";
  readonly #answer: (bytes: Uint8Array) => number | Promise<number>;

  constructor(answer: (bytes: Uint8Array) => number | Promise<number>) {
    this.#answer = answer;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const taken = await this.#answer(bytes);
    this.text += new TextDecoder().decode(bytes.subarray(0, taken));
    return taken;
  }
}

const lost = (count: number) => `lost ${count}\n`;

Deno.test("a writer writes every line in order, however little the output takes at once", async () => {
  const output = new ScriptedOutput((bytes) => Math.min(7, bytes.length));
  const writer = new LineWriter(output, lost);
  const lines = Array.from({ length: 500 }, (_, index) => `line ${index}\n`);
  for (const line of lines) writer.write(line);
  assert.equal(await writer.close(), true);
  assert.equal(output.text, lines.join(""));
  assert.equal(writer.dropped, 0);
});

Deno.test("a writer counts lines that cannot be written, and says so when it writes again", async () => {
  let failing = true;
  const failed = Promise.withResolvers<void>();
  const output = new ScriptedOutput((bytes) => {
    if (!failing) return bytes.length;
    failed.resolve();
    throw new Deno.errors.BrokenPipe("closed");
  });
  const writer = new LineWriter(output, lost);
  writer.write("one\n");
  writer.write("two\n");
  await failed.promise;
  failing = false;
  writer.write("three\n");
  assert.equal(await writer.close(), true);
  assert.equal(output.text, "three\nlost 2\n");
  assert.equal(writer.dropped, 2);
});

Deno.test("a writer keeps a bounded number of lines for an output that is not read", async () => {
  const isRead = Promise.withResolvers<void>();
  const output = new ScriptedOutput((bytes) => isRead.promise.then(() => bytes.length));
  const writer = new LineWriter(output, lost);
  const line = `${"x".repeat(1_023)}\n`;
  for (let count = 0; count < 10_000; count++) writer.write(line);
  assert.ok(writer.dropped > 5_000, `${writer.dropped} of 10,000 KiB were dropped`);
  assert.equal(await writer.close(), false, "closing does not wait for it");
  isRead.resolve();
  assert.equal(await writer.close(), true);
  assert.match(output.text, /^lost \d+$/m);
});

Deno.test("a closed output cannot keep a writer from closing", async () => {
  const writer = new LineWriter(
    new ScriptedOutput(() => Promise.reject(new Deno.errors.BrokenPipe("closed"))),
    lost,
  );
  for (let count = 0; count < 100; count++) writer.write("x\n");
  assert.equal(await writer.close(), true);
  assert.equal(writer.dropped, 100);
});

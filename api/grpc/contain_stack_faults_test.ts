import assert from "node:assert/strict";
import { startDeno } from "../../tests/servers/subprocess.ts";

const MODULE = new URL("./contain_stack_faults.ts", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Runs a program that throws an error with this code from a timer, and then continues. */
async function thrown(code: string): Promise<{ success: boolean; output: string }> {
  const program = `
    const { containStackFaults } = await import("${MODULE}");
    containStackFaults();
    setTimeout(() => { throw Object.assign(new Error("thrown"), { code: "${code}" }); });
    setTimeout(() => console.log("went on"), 20);
  `;
  const process = startDeno(["eval", "--config", CONFIG, program]);
  const { success } = await process.status;
  return { success, output: process.output() };
}

Deno.test("an uncaught error of node:http2 does not end the process", async () => {
  const { success, output } = await thrown("ERR_HTTP2_INVALID_STREAM");
  assert.ok(success, output);
  assert.match(output, /went on/);
});

Deno.test("any other uncaught error ends the process", async () => {
  const { success, output } = await thrown("ERR_ASSERTION");
  assert.equal(success, false);
  assert.match(output, /Uncaught/);
});

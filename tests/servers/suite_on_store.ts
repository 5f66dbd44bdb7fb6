import assert from "node:assert/strict";

/**
 * Runs test files with their stores at an address: `sqlite:` for files of their own, or that of a
 * MongoDB server.
 * @param args paths and options of `deno test`
 */
export async function runSuiteOn(address: string, args: readonly string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--quiet", "--allow-all", "--no-prompt", "--no-check", ...args],
    env: { MPC_TEST_STORE: address, NO_COLOR: "1" },
  }).output();
  const output = new TextDecoder().decode(stdout);
  // The errors come at the end, after the results of all tests.
  const [, errors = output.slice(-8_000)] = /\n( ERRORS[^]*)/.exec(output) ?? [];
  assert.ok(success, errors.slice(0, 8_000) + new TextDecoder().decode(stderr).slice(-4_000));
  console.log(output.trim().split("\n").at(-1));
}

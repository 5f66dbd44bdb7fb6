/** The suites of use cases and faults, with their stores on a MongoDB server and in SQLite files. */
import assert from "node:assert/strict";
import { mongodbUnderTest } from "../servers/mongodb_under_test.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";

const server = await mongodbUnderTest();

const STORES = { "MongoDB": server.uri, "SQLite": "sqlite:" };

/**
 * The suites, and the tests of them that run; the others take too long on a server. All of them run
 * by `MPC_TEST_STORE=mongodb://HOST/ deno test -A tests/services tests/faults`.
 */
const SUITES: readonly (readonly [title: string, args: readonly string[]])[] = [
  ["use cases", ["tests/services"]],
  ["faults", ["tests/faults/fault_suite_test.ts"]],
  ["interrupted writes", [
    "tests/faults/interrupted_writes_test.ts",
    "--filter=/(environment.create|workload.delete): (crash|answer lost), at each write/",
  ]],
];

for (const [store, where] of Object.entries(STORES)) {
  for (const [title, args] of SUITES) {
    Deno.test({
      name: `${title} on ${store}`,
      ...NO_SANITIZERS,
      async fn() {
        const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["test", "--quiet", "--allow-all", "--no-prompt", "--no-check", ...args],
          env: { MPC_TEST_STORE: where, NO_COLOR: "1" },
        }).output();
        const output = new TextDecoder().decode(stdout);
        assert.ok(success, output.slice(-8_000) + new TextDecoder().decode(stderr));
        console.log(output.trim().split("\n").at(-1));
      },
    });
  }
}

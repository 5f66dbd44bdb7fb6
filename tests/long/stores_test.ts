/** The whole suites of use cases, faults and the API, on a MongoDB server and in SQLite files. */
import { mongodbUnderTest } from "../servers/mongodb_under_test.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { runSuiteOn } from "../servers/suite_on_store.ts";

const server = await mongodbUnderTest();

const SUITES = [
  "tests/services",
  "tests/api",
  "tests/faults/fault_suite_test.ts",
  "tests/faults/interrupted_writes_test.ts",
];

for (const [store, address] of Object.entries({ "MongoDB": server.uri, "SQLite": "sqlite:" })) {
  for (const path of SUITES) {
    Deno.test(`${path} on ${store}`, NO_SANITIZERS, () => runSuiteOn(address, [path]));
  }
}

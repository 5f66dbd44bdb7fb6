/** Use cases, faults and API calls that depend on what a store does, on a MongoDB server and in SQLite files. */
import { mongodbUnderTest } from "../servers/mongodb_under_test.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { runSuiteOn } from "../servers/suite_on_store.ts";

const server = await mongodbUnderTest();

const STORES = { "MongoDB": server.uri, "SQLite": "sqlite:" };

/** Use cases that query, race, page, follow or clean up. */
const USE_CASES = [
  "admission_race",
  "claims",
  "deletion_requests",
  "dispatcher",
  "janitor",
  "lists",
  "operations",
  "orphans",
  "quota",
  "retention",
  "revisions",
  "watch_events",
].map((name) => `tests/services/${name}_test.ts`);

/** Reads, changes, pages, watches and deadlines; the store does not depend on the door. */
const API = ["two_doors", "longrunning"].map((name) => `tests/api/${name}_test.ts`);

/** What takes too long here runs in `tests/long/stores_test.ts`: whole suites on all stores. */
const SUITES: readonly (readonly [title: string, args: readonly string[]])[] = [
  ["use cases", USE_CASES],
  ["faults", [
    "tests/faults/fault_suite_test.ts",
    "--filter=/workload.deploy over another revision: step|platform.claim/",
  ]],
  ["interrupted writes", [
    "tests/faults/interrupted_writes_test.ts",
    "--filter=/(environment.create|workload.delete): (crash|answer lost), at each write|" +
    "environment.create: (refused|late), at each write/",
  ]],
  ["the API", [...API, "--filter=/^gRPC: /"]],
];

for (const [store, address] of Object.entries(STORES)) {
  for (const [title, args] of SUITES) {
    Deno.test(`${title} on ${store}`, NO_SANITIZERS, () => runSuiteOn(address, args));
  }
}

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withFolder } from "../tests/servers/with_folder.ts";
import { clustersOf } from "./clusters.ts";

const withFile = (text: string, use: (path: string) => void): Promise<void> =>
  withFolder(async (folder) => {
    const path = join(folder, "clusters.yaml");
    await writeFile(path, text);
    use(path);
  });

Deno.test("without flags there is only a simulated cluster", () => {
  assert.deepEqual(clustersOf({}), []);
});

Deno.test("--kubeconfig configures the default cluster, with the given context", () => {
  assert.deepEqual(clustersOf({ kubeconfig: "/k", context: "dev" }), [
    { name: "default", kubeconfig: "/k", context: "dev", requestsPerSecond: 100 },
  ]);
});

Deno.test("conflicting flags are rejected", () => {
  const usage = { code: "INVALID_ARGUMENT", reason: "USAGE" };
  assert.throws(() => clustersOf({ context: "dev" }), usage);
  assert.throws(() => clustersOf({ clustersFile: "/c", kubeconfig: "/k" }), usage);
});

Deno.test("--clusters-file configures several clusters, with paths relative to the file", () =>
  withFile(
    `clusters:
  - { name: default, inCluster: true }
  - { name: east, kubeconfig: east.yaml, context: admin, requestsPerSecond: 20 }
`,
    (path) => {
      assert.deepEqual(clustersOf({ clustersFile: path }), [
        { name: "default", kubeconfig: null, context: null, requestsPerSecond: 100 },
        {
          name: "east",
          kubeconfig: join(path, "..", "east.yaml"),
          context: "admin",
          requestsPerSecond: 20,
        },
      ]);
    },
  ));

const BAD: readonly (readonly [string, string, RegExp])[] = [
  ["invalid YAML", "clusters: [", /Cannot read clusters from '.*clusters\.yaml'/],
  ["no clusters", "clusters: []", /'clusters'/],
  ["an unknown field", "clusters: [{ name: a, inCluster: true, x: 1 }]", /x/],
  [
    "a cluster without access",
    "clusters: [{ name: a }]",
    /exactly one of kubeconfig and inCluster/,
  ],
  [
    "a name twice",
    "clusters: [{ name: a, inCluster: true }, { name: a, kubeconfig: k }]",
    /different names/,
  ],
  ["an invalid name", "clusters: [{ name: A_, inCluster: true }]", /clusters\.0\.name/],
];

for (const [name, text, message] of BAD) {
  Deno.test(`a clusters file with ${name} is rejected, with where and why`, () =>
    withFile(text, (path) => {
      assert.throws(() => clustersOf({ clustersFile: path }), {
        code: "INVALID_ARGUMENT",
        reason: "CLUSTERS_FILE_INVALID",
        message,
      });
    }));
}

Deno.test("a missing clusters file is rejected", () => {
  assert.throws(() => clustersOf({ clustersFile: "/nowhere.yaml" }), {
    reason: "CLUSTERS_FILE_INVALID",
  });
});

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

Deno.test("without flags there is no cluster but a simulated one", () => {
  assert.deepEqual(clustersOf({}), []);
});

Deno.test("--kubeconfig is the default cluster, by the context that is named", () => {
  assert.deepEqual(clustersOf({ kubeconfig: "/k", context: "dev" }), [
    { name: "default", kubeconfig: "/k", context: "dev", requestsPerSecond: 100 },
  ]);
});

Deno.test("flags that contradict are refused", () => {
  const usage = { code: "INVALID_ARGUMENT", reason: "USAGE" };
  assert.throws(() => clustersOf({ context: "dev" }), usage);
  assert.throws(() => clustersOf({ clustersFile: "/c", kubeconfig: "/k" }), usage);
});

Deno.test("--clusters-file names several, by paths from where it lies", () =>
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
  ["no YAML", "clusters: [", /Cannot read clusters from '.*clusters\.yaml'/],
  ["no clusters", "clusters: []", /'clusters'/],
  ["a field that is not known", "clusters: [{ name: a, inCluster: true, x: 1 }]", /x/],
  ["neither way to it", "clusters: [{ name: a }]", /exactly one of kubeconfig and inCluster/],
  [
    "a name twice",
    "clusters: [{ name: a, inCluster: true }, { name: a, kubeconfig: k }]",
    /names that differ/,
  ],
  ["a name that is none", "clusters: [{ name: A_, inCluster: true }]", /clusters\.0\.name/],
];

for (const [name, text, message] of BAD) {
  Deno.test(`a clusters file with ${name} is refused, with where and why`, () =>
    withFile(text, (path) => {
      assert.throws(() => clustersOf({ clustersFile: path }), {
        code: "INVALID_ARGUMENT",
        reason: "CLUSTERS_FILE_INVALID",
        message,
      });
    }));
}

Deno.test("a clusters file that is not there is refused", () => {
  assert.throws(() => clustersOf({ clustersFile: "/nowhere.yaml" }), {
    reason: "CLUSTERS_FILE_INVALID",
  });
});

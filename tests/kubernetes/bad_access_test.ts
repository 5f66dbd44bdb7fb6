/** Clusters that the platform cannot use: which step fails, and what the user reads. */
import assert from "node:assert/strict";
import { freePort } from "@mpc/process";
import { type OpenWorld, openWorld } from "../e2e/mpctl_world.ts";
import { eventually } from "../servers/eventually.ts";
import type { KubeApiServer } from "../servers/kube_api_server.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import { startKwokCluster } from "../servers/kwok_cluster.ts";
import { startTcpProxy } from "../servers/tcp_proxy.ts";

let folder: string;
let server: KubeApiServer;
let kubectl: Kubectl;
let world: OpenWorld;

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "mpc-access-" });
  // Its controllers finish the deletion of a namespace.
  server = await startKwokCluster(folder, 1);
  kubectl = await kubectlOf(server.kubeconfig);
  const gone = `${folder}/gone.kubeconfig`;
  const config = await Deno.readTextFile(server.kubeconfig);
  await Deno.writeTextFile(
    gone,
    config.replaceAll(server.url, `https://127.0.0.1:${freePort()}`),
  );
  const notAfter = new Date(Date.now() - 60_000);
  const clusters = [
    { name: "good", kubeconfig: server.kubeconfig },
    { name: "late", kubeconfig: await server.kubeconfigOf({ name: "late", notAfter }) },
    { name: "ann", kubeconfig: await server.kubeconfigOf({ name: "ann" }) },
    { name: "gone", kubeconfig: gone },
  ];
  const file = `${folder}/clusters.yaml`;
  await Deno.writeTextFile(file, JSON.stringify({ clusters }));
  world = await openWorld({ platformArgs: ["--clusters-file", file] });
});

Deno.test.afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await server?.stop();
  await Deno.remove(folder, { recursive: true });
});

for (
  const [title, cluster, reason, words] of [
    [
      "an expired certificate",
      "late",
      "CLUSTER_CREDENTIALS",
      /the client certificate expired at \S+; renew them/,
    ],
    [
      "a missing permission",
      "ann",
      "CLUSTER_FORBIDS",
      /'ann' may not get namespaces/,
    ],
  ] as const
) {
  Deno.test({
    name: `${title} fails the first step, is named, and leaves nothing on the cluster`,
    // The platform's output is read in the background.
    sanitizeOps: false,
    async fn() {
      const environment = `on-${cluster}`;
      const { code, err } = await world.mpctl("env", "create", environment, "--cluster", cluster);
      assert.equal(code, 3, err);
      assert.match(err, /Step 'create_namespace' failed/);
      assert.doesNotMatch(err, /left behind|could not be undone/);
      const [, operation = ""] = /mpctl op explain (\S+?)'/.exec(err) ?? [];
      const { out } = await world.mpctl("op", "explain", operation, "-o", "json");
      const { causes } = JSON.parse(out) as { causes: { reason: string; message: string }[] };
      const cause = causes.find((cause) => cause.reason === reason);
      assert.ok(cause, `${reason} is among the causes: ${out}`);
      assert.match(cause.message, words);
      assert.doesNotMatch(await kubectl(["get", "namespaces", "-o", "name"]), /on-/);
    },
  });
}

Deno.test({
  name: "an operation waits for a cluster that does not answer, says so, and can be cancelled",
  sanitizeOps: false,
  async fn() {
    const { out: name, err } = await world.mpctl(
      ...["env", "create", "on-gone", "--cluster", "gone", "--no-wait"],
    );
    const id = name.trim().replace("operations/", "");
    const waits = /cluster 'gone' has not answered since \S+Z; it is tried again at \S+Z, and the/;
    await eventually("it waits", async () => {
      assert.match((await world.mpctl("op", "explain", id)).out, waits, err);
    });
    assert.match((await world.mpctl("op", "get", id)).out, waits);
    const cancelled = await world.mpctl("op", "cancel", id);
    assert.equal(cancelled.code, 0, cancelled.err);
    assert.equal((await world.mpctl("env", "get", "on-gone")).code, 7, "nothing is left of it");
  },
});

Deno.test({
  name: "the doctor checks the readable clusters, and names the others",
  sanitizeOps: false,
  async fn() {
    const version = await world.mpctl("version", "--all", "-o", "json");
    const left = {
      "app.kubernetes.io/managed-by": "mpc",
      "mpc/environment": "left",
      "mpc/uid": "x",
      "mpc/installation": JSON.parse(version.out).server.installation,
    };
    const theirs = { ...left, "mpc/environment": "theirs", "mpc/installation": "other" };
    for (const [name, labels] of Object.entries({ left, theirs })) {
      const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
      await kubectl(["apply", "-f", "-"], JSON.stringify(namespace));
    }
    const { code, out, err } = await world.mpctl("doctor", "-o", "json");
    assert.equal(code, 1, err);
    const { findings, foreignObjects } = JSON.parse(out) as {
      findings: Record<string, string>[];
      foreignObjects: Record<string, unknown>[];
    };
    assert.deepEqual(foreignObjects.map(({ installation, objects }) => [installation, objects]), [
      ["other", 1],
    ]);
    assert.deepEqual(findings.map(({ subject, remedy }) => `${subject}: ${remedy}`).sort(), [
      "Namespace/left: mpctl doctor --sweep",
      "ann: kubectl apply -f deploy/kubernetes/worker_role.yaml",
      "gone: kubectl cluster-info",
      "late: kubectl cluster-info",
    ]);
    const unasked = await world.mpctl("doctor", "--sweep");
    assert.equal(unasked.code, 2, "it asks, and there is no terminal");
    assert.match(unasked.out, /^ {2}- Namespace\/left$/m);
    const swept = await world.mpctl("doctor", "--sweep", "--yes", "--no-wait");
    assert.equal(swept.code, 1, swept.err);
    assert.match(swept.out, /^operations\//);
    assert.match(swept.out, /✗ CLUSTER_UNREADABLE gone/);
  },
});

Deno.test({
  name: "an unknown cluster is rejected, with the known ones",
  sanitizeOps: false,
  async fn() {
    const { code, err } = await world.mpctl("env", "create", "on-mars", "--cluster", "mars");
    assert.notEqual(code, 0);
    assert.match(err, /'mars'/);
    assert.match(err, /good/);
  },
});

Deno.test({
  name: "a cluster on another host is refused by 'deno task dev', and reached by 'dev:cluster'",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using proxy = startTcpProxy(Number(new URL(server.url).port), "127.0.0.2");
    const kubeconfig = `${folder}/far.kubeconfig`;
    const text = await Deno.readTextFile(server.kubeconfig);
    await Deno.writeTextFile(
      kubeconfig,
      text.replaceAll(server.url, `https://127.0.0.2:${proxy.port}`),
    );
    const file = `${folder}/far.yaml`;
    await Deno.writeTextFile(file, JSON.stringify({ clusters: [{ name: "default", kubeconfig }] }));
    const platformArgs = ["--clusters-file", file];
    await assert.rejects(
      openWorld({ platformArgs }),
      /not permitted to reach '127\.0\.0\.2:\d+'; start 'deno task dev:cluster' with the same flags/,
    );
    await using far = await openWorld({ platformArgs, task: "dev:cluster" });
    const { code, err } = await far.mpctl("env", "create", "far");
    assert.equal(code, 0, err);
  },
});

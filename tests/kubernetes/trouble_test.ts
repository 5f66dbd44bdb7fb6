/** Clusters that do not answer, deny access, or block a change otherwise. */
import assert from "node:assert/strict";
import { rejectsWith } from "../fakes/rejects.ts";
import { anEnvironment, live, providerSuite, web } from "./provider_world.ts";

const test = providerSuite();

test("each missing permission is named exactly", async (world) => {
  const { server, kubectl, providerBy } = world;
  await anEnvironment(world, "rbac");
  const ann = providerBy(await server.kubeconfigOf({ name: "ann" }));
  const first = await rejectsWith(
    ann.applyWorkload(web("rbac"), live()),
    "PERMISSION_DENIED",
    "CLUSTER_FORBIDS",
  );
  assert.equal(first.metadata["verb"], "list");
  await kubectl(["create", "clusterrolebinding", "ann", "--clusterrole=view", "--user=ann"]);
  await kubectl([
    ...["create", "clusterrole", "reader", "--verb=get,list,watch"],
    "--resource=secrets",
  ]);
  await kubectl(["create", "clusterrolebinding", "reads", "--clusterrole=reader", "--user=ann"]);
  const second = await rejectsWith(
    ann.applyWorkload(web("rbac"), live()),
    "PERMISSION_DENIED",
    "CLUSTER_FORBIDS",
  );
  assert.match(second.message, /'ann' may not (patch|create) services in namespace 'rbac'/);
  assert.deepEqual(await ann.pods("rbac", "web", live()), [], "reading is allowed");
});

test("an expired certificate and a missing context are reported", async (world) => {
  const { server, providerBy } = world;
  const notAfter = new Date(Date.now() - 60_000);
  const late = providerBy(await server.kubeconfigOf({ name: "late", notAfter }));
  await rejectsWith(late.inventory(live()), "UNAUTHENTICATED", "CLUSTER_CREDENTIALS");
  const wrong = providerBy(server.kubeconfig, "elsewhere");
  const error = await rejectsWith(
    wrong.inventory(live()),
    "FAILED_PRECONDITION",
    "KUBECONFIG_UNUSABLE",
  );
  assert.match(error.message, /no context 'elsewhere', its contexts are 'local'/);
});

test("a webhook that does not answer is named, and the error is retryable", async (world) => {
  const { provider, kubectl } = world;
  await anEnvironment(world, "hooked");
  const webhook = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "guard" },
    webhooks: [{
      name: "guard.example.com",
      clientConfig: { url: "https://127.0.0.1:1/" },
      rules: [{
        apiGroups: ["apps"],
        apiVersions: ["v1"],
        operations: ["*"],
        resources: ["deployments"],
      }],
      namespaceSelector: { matchLabels: { "mpc/environment": "hooked" } },
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      timeoutSeconds: 1,
    }],
  };
  await kubectl(["apply", "-f", "-"], JSON.stringify(webhook));
  try {
    // The API server needs a moment before it calls a new webhook.
    const error = await eventually(() =>
      rejectsWith(
        provider.applyWorkload(web("hooked"), { ...live(), dryRun: true }),
        "UNAVAILABLE",
        "ADMISSION_UNREACHABLE",
      )
    );
    assert.equal(error.retryable, true);
    assert.match(error.message, /'guard\.example\.com' does not answer/);
  } finally {
    await kubectl(["delete", "validatingwebhookconfiguration", "guard"]);
  }
});

test("a finalizer that blocks a namespace is reported with its object and a remedy", async (world) => {
  const { provider, kubectl } = world;
  await anEnvironment(world, "stuck");
  const held = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "held", namespace: "stuck", finalizers: ["example.com/hold"] },
  };
  await kubectl(["apply", "-f", "-"], JSON.stringify(held));
  const ref = { environment: "stuck", uid: "uid-stuck" };
  await provider.deleteNamespace(ref, live());
  const told = Promise.withResolvers<string>();
  const gone = provider.awaitNamespaceGone(ref, {
    ...live(),
    onBlocked: ([blocker]) =>
      blocker && told.resolve(`${blocker.object}: ${blocker.reason}\n${blocker.remedy}`),
  });
  const [what = "", remedy = ""] = (await told.promise).split("\n");
  assert.equal(what, "ConfigMap/stuck/held: finalizer example.com/hold");
  const [, ...command] = (remedy.match(/'[^']*'|\S+/g) ?? []).map((word) =>
    word.replaceAll("'", "")
  );
  await kubectl(command);
  await gone;
});

test(
  "a rollout survives an outage of the API server, and reports it",
  async (world) => {
    const { provider, kubectl, server } = world;
    await anEnvironment(world, "outage");
    await kubectl(["cordon", "node-0", "node-1"]);
    await provider.applyWorkload(web("outage"), live());
    const told: string[] = [];
    const lost = Promise.withResolvers<void>();
    const rollout = provider.awaitRollout(web("outage"), {
      ...live(),
      onProgress: ({ message }) => {
        told.push(message);
        if (/waiting for the cluster/.test(message)) lost.resolve();
      },
    });
    rollout.catch(() => {});
    await kubectl(["wait", "pod", "-n", "outage", "-l", "mpc/workload=web", "--for=create"]);
    await server.interrupt();
    await lost.promise;
    await server.resume();
    await kubectl(["uncordon", "node-0", "node-1"]);
    assert.equal((await rollout).ready, 1, told.join("; "));
  },
  // The suite owns the process and replaces it.
  { sanitizeOps: false, sanitizeResources: false },
);

/** Retries until a call succeeds; the calls have time limits of their own. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= 50) throw error;
    }
  }
}

/** Rendered objects are validated by the schemas and by the apply of an API server. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type KubernetesObject,
  renderNamespace,
  renderPolicies,
  renderWorkload,
} from "../../worker/providers/kubernetes/render/mod.ts";
import { arbitrarySpec } from "../fakes/arbitrary_spec.ts";
import { aWorkloadIntent, ENVIRONMENT_INTENTS, WORKLOAD_INTENTS } from "../fakes/intents.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import { type KubeApiServer, startKubeApiServer } from "../servers/kube_api_server.ts";
import { readSchemas, type SchemaCheck } from "./openapi_schemas.ts";

const API_VERSIONS = ["v1", "apps/v1", "networking.k8s.io/v1", "autoscaling/v2", "policy/v1"];

let folder: string;
let server: KubeApiServer;
let kubectl: Kubectl;
let problemsOf: SchemaCheck;

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "mpc-render-" });
  server = await startKubeApiServer(folder);
  kubectl = await kubectlOf(server.kubeconfig);
  problemsOf = await readSchemas(kubectl, API_VERSIONS);
  const environment = ENVIRONMENT_INTENTS["environment_with_quota"]!;
  await apply(renderNamespace(environment));
  await apply(renderPolicies(environment));
});

Deno.test.afterAll(async () => {
  await server?.stop();
  await Deno.remove(folder, { recursive: true });
});

/** Applies objects strictly, so that unknown fields fail. @returns the resulting objects */
async function apply(
  objects: readonly KubernetesObject[],
  ...more: readonly string[]
): Promise<readonly KubernetesObject[]> {
  const list = { apiVersion: "v1", kind: "List", items: objects };
  const args = ["apply", "--server-side", "--field-manager=mpc", "--validate=strict"];
  const answer = await kubectl([...args, ...more, "-o", "json", "-f", "-"], JSON.stringify(list));
  const told: { items?: KubernetesObject[] } & KubernetesObject = JSON.parse(answer);
  return told.items ?? [told];
}

const dryRun = (objects: readonly KubernetesObject[]) => apply(objects, "--dry-run=server");

for (const [name, intent] of Object.entries(ENVIRONMENT_INTENTS)) {
  Deno.test(`${name}: every object is valid, and the API server accepts it`, async () => {
    const objects = [...renderNamespace(intent), ...renderPolicies(intent)];
    assert.deepEqual(objects.flatMap(problemsOf), []);
    assert.equal((await dryRun(objects)).length, objects.length);
  });
}

for (const [name, intent] of Object.entries(WORKLOAD_INTENTS)) {
  Deno.test(`${name}: every object is valid, and the API server accepts it`, async () => {
    const objects = renderWorkload(intent);
    assert.deepEqual(objects.flatMap(problemsOf), []);
    assert.equal((await dryRun(objects)).length, objects.length);
  });

  Deno.test(`${name}: its pods meet the namespace's pod security standard`, async () => {
    await dryRun([podOf(renderWorkload(intent))]);
  });
}

Deno.test("the API server accepts the objects of any valid spec", async () => {
  await fc.assert(
    fc.asyncProperty(arbitrarySpec(), async (spec) => {
      const objects = renderWorkload(aWorkloadIntent(spec));
      assert.deepEqual(objects.flatMap(problemsOf), []);
      await dryRun([...objects, podOf(objects)]);
    }),
    { numRuns: 20 },
  );
});

Deno.test("a pod that violates the standard is rejected, so the test can fail", async () => {
  const pod = podOf(renderWorkload(WORKLOAD_INTENTS["workload"]!));
  const privileged = { ...pod, spec: { ...(pod["spec"] as object), hostNetwork: true } };
  await assert.rejects(dryRun([privileged]), /violates PodSecurity "restricted/);
});

Deno.test("the schemas and the API server reject an unknown field", async () => {
  const [object] = renderWorkload(WORKLOAD_INTENTS["workload"]!);
  const wrong = { ...object!, spec: { ...(object!["spec"] as object), colour: "red" } };
  assert.match(problemsOf(wrong).join(), /additionalProperty.*colour/);
  await assert.rejects(dryRun([wrong]), /colour/);
});

Deno.test("each row of the table can be applied over every other row", async () => {
  const rows = Object.values(WORKLOAD_INTENTS);
  const deployments = rows.map((intent) =>
    renderWorkload(intent).filter(({ kind }) => kind === "Deployment")
  );
  for (const deployment of [...deployments, ...deployments.toReversed()]) await apply(deployment);
});

/** A pod as the Deployment's controller would create it. */
function podOf(objects: readonly KubernetesObject[]): KubernetesObject {
  const deployment = objects.find(({ kind }) => kind === "Deployment");
  const { template } = deployment?.["spec"] as {
    template: { metadata: Omit<KubernetesObject["metadata"], "name">; spec: object };
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...template.metadata, name: "web-1", namespace: "dev" },
    spec: template.spec,
  };
}

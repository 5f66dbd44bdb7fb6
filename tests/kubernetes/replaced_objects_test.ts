/** Updates and undos that replace objects, by the real steps, on a control plane with kwok's nodes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type JsonObject, NO_QUOTA, recordError } from "@mpc/domain";
import { NO_CHARTS, systemClock } from "@mpc/process";
import {
  DEFINITIONS,
  type Ending,
  orchestrate,
  orchestratedSteps,
  type UndoOutcome,
} from "@mpc/services/sagas";
import { openMemoryStore } from "@mpc/storage/memory";
import {
  HttpKubeClient,
  KubernetesProvider,
  openCharts,
} from "../../worker/providers/kubernetes/mod.ts";
import { fieldAt } from "../../worker/providers/kubernetes/client/kube_object.ts";
import { anEnvironment } from "../fakes/documents.ts";
import { aWorkloadIntent } from "../fakes/intents.ts";
import { eventually } from "../servers/eventually.ts";
import { goTool } from "../servers/go_tool.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import { startKwokCluster } from "../servers/kwok_cluster.ts";

const ROLE = new URL("../../deploy/kubernetes/worker_role.yaml", import.meta.url).pathname;
const dev = { environment: "dev", uid: "uid-dev", cluster: "default", labels: {}, quota: NO_QUOTA };
const live = () => ({ signal: AbortSignal.timeout(120_000) });

const CHART = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";

/** Pods of another form have other labels, as those of another chart do. */
const TEMPLATE = `apiVersion: v1
kind: Service
metadata: { name: shop }
spec: { selector: { form: {{ .Values.form }} }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: {{ .Values.form }}
metadata: { name: "shop{{ .Values.suffix }}" }
spec:
  replicas: 3
  selector: { matchLabels: { form: {{ .Values.form }} } }
  template:
    metadata: { labels: { form: {{ .Values.form }} } }
    spec:
      securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: shop
          image: "shop:{{ .Values.tag }}"
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
{{ if .Values.job }}
---
apiVersion: batch/v1
kind: Job
metadata: { name: migrate }
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: migrate
          image: "migrate:{{ .Values.job }}"
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
{{ end }}`;

/** A workload that is deployed by the steps of its operation kind, without an engine. */
class World {
  readonly kubectl: Kubectl;
  readonly #client: HttpKubeClient;
  readonly #provider: KubernetesProvider;
  readonly #store = openMemoryStore();
  #revision = 0;
  #previous: JsonObject | null = null;

  constructor(provider: KubernetesProvider, client: HttpKubeClient, kubectl: Kubectl) {
    this.#provider = provider;
    this.#client = client;
    this.kubectl = kubectl;
  }

  async prepare(): Promise<void> {
    await this.#provider.applyNamespace(dev, live());
    await this.#provider.applyPolicies(dev, live());
    await this.#store.environments.create(anEnvironment("dev"), live());
  }

  /** Deploys values of the chart. @returns how the operation ended, and why it failed */
  async deploy(
    values: JsonObject,
    forceConflicts = false,
  ): Promise<readonly [Ending, string]> {
    const revision = ++this.#revision;
    const chart = { name: "shop", version: "1.0.0", values: { suffix: "", ...values } };
    const { spec } = aWorkloadIntent({ chart, progressDeadlineMs: 10_000 });
    const wanted = { labels: {}, annotations: {}, restartToken: "", spec };
    const input: JsonObject = JSON.parse(JSON.stringify({
      ...{ verb: "deploy", forceConflicts, environment: "dev", workload: "shop" },
      ...{ uid: "uid-shop", revision, wanted, previous: this.#previous },
    }));
    const definition = DEFINITIONS["workload.deploy"];
    const step = (name: string) => definition.steps.find((step) => step.name === name)!;
    const { state, error } = await orchestrate(orchestratedSteps(definition), {
      runStep: async ({ name }) => {
        try {
          await step(name).run(this.#context(), input);
          return { status: "succeeded" };
        } catch (error) {
          return { status: "failed", error: recordError(error) };
        }
      },
      undoStep: ({ name }) =>
        eventually(`${name} is undone`, async (): Promise<UndoOutcome> => {
          try {
            await step(name).undo?.(this.#context(), input);
            return { status: "undone" };
          } catch (thrown) {
            const error = recordError(thrown);
            if (error.retryable) throw thrown;
            return { status: "failed", error };
          }
        }),
    });
    if (state === "SUCCEEDED") this.#previous = { ...wanted, state: "READY", revision };
    return [state, error?.message ?? ""];
  }

  /** The names of objects of a kind that are not being deleted. */
  async names(kind: string): Promise<readonly string[]> {
    const { items } = JSON.parse(await this.kubectl(["get", kind, "-n", "dev", "-o", "json"]));
    return items.filter(({ metadata }: { metadata: Record<string, unknown> }) =>
      metadata["deletionTimestamp"] === undefined
    ).map(({ metadata }: { metadata: Record<string, unknown> }) => metadata["name"]).sort();
  }

  /** The least number of ready pods behind the Service while something happens. */
  async leastReached(act: () => Promise<unknown>): Promise<number> {
    let done = false;
    let least = await this.#reached();
    const acting = act().finally(() => done = true);
    while (!done) least = Math.min(least, await this.#reached());
    await acting;
    return least;
  }

  /** Images and readiness of the pods. */
  async pods(): Promise<readonly string[]> {
    const pods = await this.#provider.pods("dev", "shop", live());
    return pods.map(({ name, image, ready }) => `${name} ${image} ${ready}`).sort();
  }

  async #reached(): Promise<number> {
    const kind = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" };
    const labelSelector = "kubernetes.io/service-name=shop";
    const { items } = await this.#client.list(kind, { namespace: "dev", labelSelector }, live());
    return items.flatMap((slice) => (fieldAt(slice, "endpoints") ?? []) as readonly unknown[])
      .filter((endpoint) => fieldAt(endpoint, "conditions", "ready") === true).length;
  }

  #context() {
    return {
      operation: "operations/1",
      target: "environments/dev/workloads/shop",
      actor: "tests",
      attempt: 1,
      ...live(),
      store: this.#store,
      provider: this.#provider,
      now: () => Date.now(),
      outputs: {},
      lastHeartbeat: null,
      made: null,
      heartbeat: () => {},
    };
  }
}

async function withWorld(use: (world: World) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mpc-replaced-" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.mkdir(join(folder, "shop", "templates"), { recursive: true });
  await Deno.writeTextFile(join(folder, "shop", "Chart.yaml"), CHART);
  await Deno.writeTextFile(join(folder, "shop", "templates", "all.yaml"), TEMPLATE);
  const cluster = await startKwokCluster(folder, 1);
  cleanup.defer(() => cluster.stop());
  const kubectl = await kubectlOf(cluster.kubeconfig);
  await kubectl(["apply", "-f", ROLE]);
  await kubectl(["create", "clusterrolebinding", "w", "--clusterrole=mpc-worker", "--user=worker"]);
  const clock = systemClock;
  const clientBy = (kubeconfig: string) =>
    new HttpKubeClient({ access: { cluster: "test", kubeconfig, context: null }, clock });
  const settings = { ...NO_CHARTS, helm: await goTool("helm"), chartsFolder: folder };
  const provider = new KubernetesProvider({
    client: clientBy(await cluster.kubeconfigOf({ name: "worker" })),
    clock,
    installation: "test",
    charts: openCharts(settings, { clock, cacheFolder: null }),
  });
  cleanup.defer(() => provider.close());
  const client = clientBy(cluster.kubeconfig);
  cleanup.defer(() => client.close());
  const world = new World(provider, client, kubectl);
  await world.prepare();
  await use(world);
}

const STEPS: readonly (readonly [string, (world: World) => Promise<void>])[] = [
  ["a failed replacement leaves the program reachable, and nothing of itself", async (world) => {
    assert.deepEqual(await world.deploy({ form: "Deployment", tag: "1" }), ["SUCCEEDED", ""]);
    await eventually(
      "the Service reaches all pods",
      async () => assert.equal(await world.leastReached(() => Promise.resolve()), 3),
    );
    const before = await world.pods();
    const least = await world.leastReached(async () => {
      const [state, message] = await world.deploy({ form: "StatefulSet", tag: "missing" });
      assert.equal(state, "FAILED");
      assert.match(message, /'shop-0' is ErrImagePull/);
    });
    assert.equal(least, 3);
    assert.deepEqual([await world.names("statefulsets"), await world.names("deployments")], [
      [],
      ["shop"],
    ]);
    await eventually("its pod is gone", async () => assert.deepEqual(await world.pods(), before));
  }],

  ["a Deployment is replaced by a StatefulSet without a gap", async (world) => {
    const least = await world.leastReached(async () => {
      const ended = await world.deploy({ form: "StatefulSet", tag: "1" });
      assert.deepEqual(ended, ["SUCCEEDED", ""]);
    });
    assert.ok(least > 0, "the Service always reaches a ready pod");
    assert.deepEqual(await world.names("deployments"), []);
    await eventually(
      "only the StatefulSet's pods are left",
      async () =>
        assert.deepEqual(await world.pods(), [
          "shop-0 shop:1 true",
          "shop-1 shop:1 true",
          "shop-2 shop:1 true",
        ]),
    );
  }],

  ...["missing", "stuck"].map((tag) =>
    [`a StatefulSet whose new pods are ${tag} is restored`, async (world: World) => {
      const [state, message] = await world.deploy({ form: "StatefulSet", tag });
      assert.equal(state, "FAILED");
      assert.match(message, /pod 'shop-2' is/);
      assert.deepEqual(await world.pods(), [
        "shop-0 shop:1 true",
        "shop-1 shop:1 true",
        "shop-2 shop:1 true",
      ], "the undo has waited for it");
    }] as const
  ),

  ["an update replaces a broken pod for which its StatefulSet waits", async (world) => {
    const containers = [{ name: "shop", image: "shop:missing" }];
    const patch = JSON.stringify({ spec: { template: { spec: { containers } } } });
    await world.kubectl(["patch", "statefulset", "shop", "-n", "dev", "-p", patch]);
    await eventually("a pod is broken", async () => {
      assert.ok((await world.pods()).includes("shop-2 shop:missing false"));
    });
    const mended = await world.deploy({ form: "StatefulSet", tag: "2" }, true);
    assert.deepEqual(mended, ["SUCCEEDED", ""]);
  }],

  ["a renamed controller is replaced by a new one", async (world) => {
    const renamed = { form: "Deployment", tag: "3", suffix: "-next" };
    assert.deepEqual(await world.deploy(renamed), ["SUCCEEDED", ""]);
    assert.deepEqual([await world.names("statefulsets"), await world.names("deployments")], [
      [],
      ["shop-next"],
    ]);
  }],

  ["an undo does not run completed Jobs again", async (world) => {
    const migrated = { form: "Deployment", tag: "3", suffix: "-next", job: "done" };
    assert.deepEqual(await world.deploy(migrated), ["SUCCEEDED", ""]);
    const uid = ["get", "job", "migrate", "-n", "dev", "-o", "jsonpath={.metadata.uid}"];
    const first = await world.kubectl(uid);
    assert.equal((await world.deploy({ ...migrated, tag: "missing" }))[0], "FAILED");
    assert.equal(await world.kubectl(uid), first, "it is the same Job");
    await world.kubectl(["delete", "job", "migrate", "-n", "dev"]);
    assert.equal((await world.deploy({ ...migrated, tag: "missing", job: "" }))[0], "FAILED");
    assert.deepEqual(await world.names("jobs"), [], "the cluster may have deleted it");
    const [state, message] = await world.deploy({ ...migrated, job: "failed" });
    assert.equal(state, "FAILED");
    assert.match(message, /job 'migrate' is BackoffLimitExceeded/);
    assert.deepEqual(await world.names("jobs"), [], "that was the failed revision's");
  }],
];

Deno.test("updates and undos replace objects", (t) =>
  withWorld(async (world) => {
    for (const [title, run] of STEPS) await t.step(title, () => run(world));
  }));

/** A chart as a workload, on a control plane with simulated nodes (kwok). */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type JsonObject, NO_QUOTA } from "@mpc/domain";
import { NO_CHARTS, systemClock } from "@mpc/process";
import {
  HttpKubeClient,
  KubernetesProvider,
  openCharts,
} from "../../worker/providers/kubernetes/mod.ts";
import { aWorkloadIntent } from "../fakes/intents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { goTool } from "../servers/go_tool.ts";
import { helm } from "../servers/helm.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import { startKwokCluster } from "../servers/kwok_cluster.ts";

const dev = { environment: "dev", uid: "uid-dev", cluster: "default", labels: {}, quota: NO_QUOTA };

interface World {
  readonly provider: KubernetesProvider;
  /** Folder of the chart. */
  readonly chart: string;
  readonly kubectl: Kubectl;
}

async function withChart(use: (world: World) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mpc-chart-" });
  await (await helm())(["create", join(folder, "shop")]);
  const cluster = await startKwokCluster(folder, 1);
  const clock = systemClock;
  const settings = {
    ...NO_CHARTS,
    helm: await goTool("helm"),
    chartsFolder: folder,
    allowedClusterKinds: ["rbac.authorization.k8s.io/v1/ClusterRole"],
  };
  const access = { cluster: "test", kubeconfig: cluster.kubeconfig, context: null };
  const charts = openCharts(settings, { clock, cacheFolder: null });
  const client = new HttpKubeClient({ access, clock });
  const provider = new KubernetesProvider({ client, clock, installation: "test", charts });
  try {
    await provider.applyNamespace(dev, live());
    await provider.applyPolicies(dev, live());
    await use({
      provider,
      chart: join(folder, "shop"),
      kubectl: await kubectlOf(cluster.kubeconfig),
    });
  } finally {
    await provider.close();
    await cluster.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

const live = () => ({ signal: AbortSignal.timeout(60_000) });

/** Values that the chart needs to meet the "restricted" standard. */
const RESTRICTED = {
  podSecurityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
};

const shop = (values: JsonObject, revision: number) =>
  aWorkloadIntent(
    { chart: { name: "shop", version: "0.1.0", values: { ...RESTRICTED, ...values } } },
    { workload: "shop", uid: "uid-shop", revision },
  );

const ref = { environment: "dev", workload: "shop", uid: "uid-shop" };

const told = (changes: readonly { readonly action: string; readonly object: string }[]) =>
  changes.map(({ action, object }) => `${action} ${object}`).sort();

const STORE = `apiVersion: apps/v1
kind: StatefulSet
metadata: { name: store }
spec:
  selector: { matchLabels: { app: store } }
  template:
    metadata: { labels: { app: store } }
    spec:
      securityContext: {{ toJson .Values.podSecurityContext }}
      containers:
        - name: store
          image: store:1
          securityContext: {{ toJson .Values.securityContext }}
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`;

/** A Job per migration, with the migration in its name. */
const MIGRATE = `{{ if .Values.migration }}
apiVersion: batch/v1
kind: Job
metadata: { name: "migrate-{{ .Values.migration }}" }
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      securityContext: {{ toJson .Values.podSecurityContext }}
      containers:
        - name: migrate
          image: "migrate:{{ .Values.migration }}"
          securityContext: {{ toJson .Values.securityContext }}
{{ end }}`;

const CASES: readonly (readonly [string, (world: World) => Promise<void>])[] = [
  [
    "a chart is planned, applied and rolled out; a second time nothing changes",
    async ({ provider }) => {
      const intent = shop({ ingress: { enabled: true } }, 1);
      const planned = await provider.applyWorkload(intent, { ...live(), dryRun: true });
      assert.deepEqual(told(planned), [
        "CREATE Deployment/dev/shop",
        "CREATE Ingress/dev/shop",
        "CREATE NetworkPolicy/dev/shop.ingress",
        "CREATE Service/dev/shop",
        "CREATE ServiceAccount/dev/shop",
      ]);
      assert.deepEqual(await provider.applyWorkload(intent, live()), planned);
      const { ready, revision } = await provider.awaitRollout(intent, live());
      assert.deepEqual([ready, revision], [1, 1]);
      assert.deepEqual(await provider.applyWorkload(intent, live()), []);
      assert.deepEqual(await provider.drift(intent, live()), []);
    },
  ],

  ["objects that the chart no longer contains are pruned", async ({ provider }) => {
    const intent = shop({ replicaCount: 2 }, 2);
    const changes = await provider.applyWorkload(intent, live());
    assert.deepEqual(told(changes), ["UPDATE Deployment/dev/shop"]);
    assert.equal((await provider.awaitRollout(intent, live())).ready, 2);
    assert.deepEqual(told(await provider.pruneWorkload(intent, live())), [
      "DELETE Ingress/dev/shop",
      "DELETE NetworkPolicy/dev/shop.ingress",
    ]);
  }],

  [
    "a rollout waits for Jobs, and a failed Job fails it with its reason",
    async ({ provider, chart }) => {
      const template = join(chart, "templates", "migrate.yaml");
      await Deno.writeTextFile(template, MIGRATE);
      const done = shop({ replicaCount: 2, migration: "done" }, 3);
      await provider.applyWorkload(done, live());
      const told: string[] = [];
      const { message } = await provider.awaitRollout(done, {
        ...live(),
        onProgress: ({ message }) => told.push(message),
      });
      assert.equal(message, "2 of 2 replicas ready, 1 of 1 job complete");
      assert.match(told[0] ?? "", /, 0 of 1 job complete$/);
      assert.deepEqual(await provider.drift(done, live()), []);
      const failed = shop({ replicaCount: 2, migration: "failed" }, 4);
      await provider.applyWorkload(failed, live());
      const rollout = provider.awaitRollout(failed, live());
      const error = await rejectsWith(rollout, "FAILED_PRECONDITION", "JOB_FAILED");
      assert.match(
        error.message,
        /^Cannot roll out 'shop': job 'migrate-failed' is BackoffLimitExceeded: Job has reached the/,
      );
      assert.deepEqual([error.metadata["job"], error.metadata["exitCode"]], [
        "migrate-failed",
        "3",
      ]);
      await Deno.remove(template);
      const without = shop({ replicaCount: 2 }, 5);
      await provider.applyWorkload(without, live());
      const pruned = await provider.pruneWorkload(without, live());
      assert.deepEqual(pruned.map(({ object }) => object).sort(), [
        "Job/dev/migrate-done",
        "Job/dev/migrate-failed",
      ]);
    },
  ],

  [
    "pods that violate the pod security standard fail the rollout with the violation",
    async ({ provider }) => {
      const open = shop({ securityContext: { allowPrivilegeEscalation: true } }, 3);
      await provider.applyWorkload(open, live());
      const rollout = provider.awaitRollout(open, live());
      const error = await rejectsWith(rollout, "FAILED_PRECONDITION", "ADMISSION_DENIED");
      assert.match(error.message, /allowPrivilegeEscalation != false/);
    },
  ],

  [
    "an allowed cluster-scoped object is created, and deleted with the workload",
    async ({ provider, chart }) => {
      const role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n" +
        "metadata: { name: mpc-shop-reader }\n" +
        "rules: [{ apiGroups: [''], resources: [nodes], verbs: [get] }]\n";
      await Deno.writeTextFile(join(chart, "templates", "role.yaml"), role);
      const changes = await provider.applyWorkload(shop({}, 4), live());
      assert.ok(told(changes).includes("CREATE ClusterRole/mpc-shop-reader"));
      const deleted = await provider.deleteWorkloads([ref], live());
      assert.ok(told(deleted).includes("DELETE ClusterRole/mpc-shop-reader"));
      await provider.awaitWorkloadGone(ref, live());
      const { objects: left } = await provider.inventory(live());
      assert.deepEqual(left.filter(({ targetUid }) => targetUid === ref.uid), []);
    },
  ],

  [
    "the storage claims of a StatefulSet are deleted with the workload",
    async ({ provider, chart, kubectl }) => {
      await Deno.writeTextFile(join(chart, "templates", "store.yaml"), STORE);
      await provider.applyWorkload(shop({}, 5), live());
      const made = ["wait", "persistentvolumeclaim/data-store-0", "-n", "dev", "--for=create"];
      await kubectl([...made, "--timeout=30s"]);
      assert.deepEqual(await provider.applyWorkload(shop({}, 5), live()), []);
      const deleted = await provider.deleteWorkloads([ref], live());
      assert.ok(told(deleted).includes("DELETE PersistentVolumeClaim/dev/data-store-0"));
      await provider.awaitWorkloadGone(ref, live());
      assert.equal(await kubectl(["get", "persistentvolumeclaims", "-n", "dev", "-o", "name"]), "");
    },
  ],

  [
    "a restart ends at once for pods that only their owner replaces, and the events are the chart's",
    async ({ provider, chart, kubectl }) => {
      await Deno.writeTextFile(join(chart, "templates", "store.yaml"), OWNER_REPLACES);
      const intent = shop({ replicaCount: 2 }, 6);
      await provider.applyWorkload(intent, live());
      assert.equal((await provider.awaitRollout(intent, live())).ready, 4);
      const restarted = { ...intent, revision: 7, restartToken: "again" };
      await provider.applyWorkload(restarted, { ...live(), sameSpec: true });
      // Much less than the progress deadline, after which it would fail.
      const { ready, revision } = await provider.awaitRollout(restarted, {
        signal: AbortSignal.timeout(30_000),
      });
      assert.deepEqual([ready, revision], [4, 7]);
      // kubectl may wait for ever for a pod whose name is taken again at once.
      await kubectl(["delete", "pod", "vault-0", "-n", "dev", "--wait=false"]);
      await kubectl(["create", "deployment", "stranger", "--image=nginx", "-n", "dev"]);
      const events = await provider.events("dev", "shop", live());
      const objects = new Set(events.map(({ object }) => object));
      const expected = ["Deployment/dev/shop", "StatefulSet/dev/vault", "DaemonSet/dev/agent"];
      for (const object of [...expected, "Pod/dev/vault-0", "Job/dev/once"]) {
        assert.ok(objects.has(object), `${object} of ${[...objects].join()}`);
      }
      assert.ok([...objects].some((object) => /^Pod\/dev\/agent-\w{5}$/.test(object)));
      assert.ok(![...objects].some((object) => object.includes("stranger")));
    },
  ],

  [
    "pods of a StatefulSet that the cluster rejects are in the progress within seconds",
    async ({ provider }) => {
      await provider.deleteWorkloads([ref], live());
      await provider.awaitWorkloadGone(ref, live());
      const intent = shop({ vaultSecurity: { allowPrivilegeEscalation: true } }, 8);
      await provider.applyWorkload(intent, live());
      const stop = new AbortController();
      const told: string[] = [];
      const rollout = provider.awaitRollout(intent, {
        signal: AbortSignal.any([stop.signal, AbortSignal.timeout(30_000)]),
        onProgress({ message }) {
          told.push(message);
          if (/StatefulSet 'vault': FailedCreate: .*violates PodSecurity/.test(message)) {
            stop.abort();
          }
        },
      });
      await rejectsWith(rollout, "CANCELLED", "ABORTED_BY_CALLER");
      assert.ok(stop.signal.aborted, told.join(" | "));
    },
  ],
];

/** Controllers that replace no pods, and a Job that is done. */
const OWNER_REPLACES = `apiVersion: apps/v1
kind: StatefulSet
metadata: { name: vault }
spec:
  selector: { matchLabels: { app: vault } }
  updateStrategy: { type: OnDelete }
  template:
    metadata: { labels: { app: vault } }
    spec:
      securityContext: {{ toJson .Values.podSecurityContext }}
      containers:
        - name: vault
          image: vault:1
          securityContext: {{ toJson (.Values.vaultSecurity | default .Values.securityContext) }}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:
  selector: { matchLabels: { app: agent } }
  updateStrategy: { type: OnDelete }
  template:
    metadata: { labels: { app: agent } }
    spec:
      securityContext: {{ toJson .Values.podSecurityContext }}
      containers:
        - name: agent
          image: agent:1
          securityContext: {{ toJson .Values.securityContext }}
---
apiVersion: batch/v1
kind: Job
metadata: { name: once }
spec:
  template:
    spec:
      restartPolicy: Never
      securityContext: {{ toJson .Values.podSecurityContext }}
      containers:
        - name: once
          image: once:done
          securityContext: {{ toJson .Values.securityContext }}
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly }
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          securityContext: {{ toJson .Values.podSecurityContext }}
          containers:
            - name: nightly
              image: nightly:done
              securityContext: {{ toJson .Values.securityContext }}
`;

Deno.test("a workload may be a chart", (t) =>
  withChart(async (world) => {
    for (const [title, run] of CASES) await t.step(title, () => run(world));
  }));

/** The provider and other managers that change the same objects. */
import assert from "node:assert/strict";
import { NO_QUOTA } from "@mpc/domain";
import { systemClock } from "@mpc/process";
import type { KubeClient } from "../../worker/providers/kubernetes/client/kube_client.ts";
import type { LiveObject } from "../../worker/providers/kubernetes/client/kube_object.ts";
import { HttpKubeClient, KubernetesProvider } from "../../worker/providers/kubernetes/mod.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { eventually } from "../servers/eventually.ts";
import { anEnvironment, live, providerSuite, type ProviderWorld, web } from "./provider_world.ts";

const test = providerSuite();

const setImage = ({ kubectl }: ProviderWorld, environment: string, image: string) =>
  kubectl(["set", "image", "deployment/web", `web=${image}`, "-n", environment]);

const scale = (
  { kubectl }: ProviderWorld,
  environment: string,
  replicas: number,
  manager: string,
) =>
  kubectl([
    ...["patch", "deployment", "web", "-n", environment, "--subresource=scale", "--type=merge"],
    ...["-p", JSON.stringify({ spec: { replicas } }), `--field-manager=${manager}`],
  ]);

test("a field of another manager is a conflict that names the manager, unless forced", async (world) => {
  await anEnvironment(world, "conflict");
  const { provider } = world;
  await provider.applyWorkload(web("conflict"), live());
  await setImage(world, "conflict", "example.com/other:1");
  const error = await rejectsWith(
    provider.applyWorkload(web("conflict"), live()),
    "ABORTED",
    "FIELD_CONFLICT",
  );
  assert.equal(error.retryable, false);
  assert.equal(error.metadata["manager"], "kubectl-set");
  assert.match(error.metadata["fields"] ?? "", /containers\[name="web"\]\.image/);
  await provider.applyWorkload(web("conflict"), { ...live(), forceConflicts: true });
  await provider.applyWorkload(web("conflict"), live());
});

test("pull secrets that a user adds to the service account are kept", async ({ provider, kubectl }) => {
  const environment = {
    ...{ environment: "private", uid: "uid-private", cluster: "default" },
    ...{ labels: {}, quota: NO_QUOTA },
  };
  await provider.applyNamespace(environment, live());
  await provider.applyPolicies(environment, live());
  const patch = '{"imagePullSecrets":[{"name":"registry"}]}';
  const account = ["serviceaccount", "workloads", "--namespace", "private"];
  await kubectl(["patch", ...account, "--patch", patch]);
  const changed = { ...environment, labels: { team: "web" } };
  await provider.applyNamespace(changed, live());
  assert.deepEqual(await provider.applyPolicies(changed, live()), []);
  assert.match(
    await kubectl(["get", ...account, "-o", "yaml"]),
    /imagePullSecrets:\n- name: registry/,
  );
});

test("changes by others are drift, field by field, and a forced apply reverts them", async (world) => {
  await anEnvironment(world, "drift");
  const { provider, kubectl } = world;
  await provider.applyWorkload(web("drift"), live());
  assert.deepEqual(await provider.drift(web("drift"), live()), []);
  await setImage(world, "drift", "example.com/other:1");
  await kubectl(["delete", "service", "web", "-n", "drift"]);
  const drift = await provider.drift(web("drift"), live());
  assert.deepEqual(drift, [
    { action: "CREATE", object: "Service/drift/web", fields: [] },
    {
      action: "UPDATE",
      object: "Deployment/drift/web",
      fields: [{
        path: "spec.template.spec.containers[web].image",
        before: '"example.com/other:1"',
        after: '"nginx:1.27"',
      }],
    },
  ]);
  await provider.applyWorkload(web("drift"), { ...live(), forceConflicts: true });
  assert.deepEqual(await provider.drift(web("drift"), live()), []);
});

const environmentOf = (environment: string) => ({
  environment,
  uid: `uid-${environment}`,
  cluster: "test",
  labels: { team: "web" },
  quota: { ...NO_QUOTA, cpu: "4" },
});

/** What others do to an environment, and the differences that are then reported. */
const MEDDLED: readonly (readonly [string, string, readonly (readonly string[])[], RegExp])[] = [
  [
    "labels",
    "labels of the namespace",
    [["label", "namespace", "labels", "--overwrite", "team=other"]],
    /^UPDATE Namespace\/labels metadata\.labels\.team$/,
  ],
  [
    "security",
    "the pod security level",
    [[
      ...["label", "namespace", "security", "--overwrite"],
      "pod-security.kubernetes.io/enforce=privileged",
    ]],
    /^UPDATE Namespace\/security metadata\.labels\[pod-security.kubernetes.io\/enforce\]$/,
  ],
  [
    "opened",
    "a network policy that lets everybody in",
    [[
      ...["patch", "networkpolicy", "isolation", "-n", "opened", "--type=merge", "-p"],
      '{"spec":{"ingress":[{}]}}',
    ]],
    /^UPDATE NetworkPolicy\/opened\/isolation spec\.ingress/,
  ],
  [
    "raised",
    "a raised quota",
    [[
      ...["patch", "resourcequota", "quota", "-n", "raised", "--type=merge", "-p"],
      '{"spec":{"hard":{"requests.cpu":"400"}}}',
    ]],
    /^UPDATE ResourceQuota\/raised\/quota spec\.hard\[requests\.cpu\]$/,
  ],
  [
    "deleted",
    "deleted policies",
    [
      ["delete", "networkpolicy", "dns", "-n", "deleted"],
      ["delete", "limitrange", "limits", "-n", "deleted"],
      ["delete", "serviceaccount", "workloads", "-n", "deleted"],
    ],
    /^CREATE LimitRange\/deleted\/limits ,CREATE NetworkPolicy\/deleted\/dns ,CREATE ServiceAcc/,
  ],
];

for (const [environment, what, commands, reported] of MEDDLED) {
  test(`drift of an environment: ${what}; a forced apply reverts it`, async (world) => {
    const { provider, kubectl } = world;
    const intent = environmentOf(environment);
    await provider.applyNamespace(intent, live());
    await provider.applyPolicies(intent, live());
    assert.deepEqual(await provider.environmentDrift(intent, live()), []);
    for (const command of commands) await kubectl(command);
    const drift = (await provider.environmentDrift(intent, live())).map((
      { action, object, fields },
    ) => `${action} ${object} ${fields.map(({ path }) => path).join()}`).toSorted().join();
    assert.match(drift, reported);
    await provider.applyNamespace(intent, { ...live(), forceConflicts: true });
    await provider.applyPolicies(intent, { ...live(), forceConflicts: true });
    assert.deepEqual(await provider.environmentDrift(intent, live()), []);
  });
}

test("an object that has lost our labels is drift, and the command that it names leads out", async (world) => {
  const { provider, kubectl } = world;
  await anEnvironment(world, "unlabelled");
  const intent = { ...environmentOf("unlabelled"), labels: {}, quota: NO_QUOTA };
  const workload = web("unlabelled");
  await provider.applyWorkload(workload, live());
  await kubectl(["label", "namespace", "unlabelled", "mpc/uid-"]);
  await kubectl(["label", "service", "web", "-n", "unlabelled", "mpc/uid=stolen", "--overwrite"]);
  await kubectl(["delete", "deployment", "web", "-n", "unlabelled"]);
  const [lost] = await provider.environmentDrift(intent, live());
  assert.deepEqual(lost?.fields, [
    { path: "metadata.labels[mpc/uid]", before: "", after: '"uid-unlabelled"' },
  ]);
  const drift = await provider.drift(workload, live());
  assert.deepEqual(drift.map(({ action, object }) => `${action} ${object}`), [
    "UPDATE Service/unlabelled/web",
    "CREATE Deployment/unlabelled/web",
  ]);
  for (const { remedy = "" } of [lost!, drift[0]!]) {
    const [program, ...command] = remedy.split(" ");
    assert.equal(program, "kubectl");
    await kubectl(command);
  }
  assert.deepEqual(await provider.environmentDrift(intent, live()), []);
  await provider.applyWorkload(workload, { ...live(), forceConflicts: true });
  assert.deepEqual(await provider.drift(workload, live()), []);
});

test("a namespace that somebody deletes is drift while a finalizer holds it, and when it is gone", async (world) => {
  const { provider, kubectl } = world;
  await anEnvironment(world, "ending");
  const intent = { ...environmentOf("ending"), labels: {}, quota: NO_QUOTA };
  const held = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "held", namespace: "ending", finalizers: ["example.com/hold"] },
  };
  await kubectl(["apply", "-f", "-"], JSON.stringify(held));
  await kubectl(["delete", "namespace", "ending", "--wait=false"]);
  const [deletion] = await provider.environmentDrift(intent, live());
  assert.deepEqual(deletion?.fields.map(({ path }) => path), ["metadata.deletionTimestamp"]);
  await kubectl([
    ...["patch", "configmap", "held", "-n", "ending", "--type=json"],
    ...["-p", '[{"op":"remove","path":"/metadata/finalizers"}]'],
  ]);
  await kubectl(["wait", "--for=delete", "namespace/ending", "--timeout=30s"]);
  const gone = await provider.environmentDrift(intent, live());
  assert.ok(gone.some(({ action, object }) => `${action} ${object}` === "CREATE Namespace/ending"));
});

test("replicas set by an autoscaler are not drift, replicas set by a user are", async (world) => {
  await anEnvironment(world, "scaled");
  const { provider } = world;
  await provider.applyWorkload(web("scaled"), live());
  await scale(world, "scaled", 3, "kube-controller-manager");
  assert.deepEqual(await provider.drift(web("scaled"), live()), []);
  await scale(world, "scaled", 4, "kubectl");
  const [change] = await provider.drift(web("scaled"), live());
  assert.deepEqual(change?.fields, [{ path: "spec.replicas", before: "4", after: "1" }]);
});

test("obsolete objects are pruned, except storage and objects of others", async (world) => {
  await anEnvironment(world, "pruned");
  const { provider, kubectl } = world;
  const storage = { size: "1Gi", storageClass: null, shared: true };
  const volume = { name: "data", path: "/data", readOnly: false, storage };
  const none = { scratch: null, secret: null, config: null };
  const full = web("pruned", { env: { KEY: "value" }, volumes: [{ ...volume, ...none }] });
  await provider.applyWorkload(full, live());
  await kubectl(["create", "configmap", "theirs", "-n", "pruned"]);
  const bare = web("pruned", { ports: [] });
  const update = async (dryRun: boolean) => [
    ...await provider.applyWorkload(bare, { ...live(), dryRun }),
    ...await provider.pruneWorkload(bare, { ...live(), dryRun }),
  ];
  const planned = await update(true);
  const deleted = planned.filter(({ action }) => action === "DELETE").map(({ object }) => object);
  assert.deepEqual(deleted.sort(), ["Secret/pruned/web.env", "Service/pruned/web"]);
  assert.deepEqual(await update(false), planned);
  await kubectl(["wait", "--for=delete", "service/web", "-n", "pruned", "--timeout=20s"]);
  await kubectl(["get", "persistentvolumeclaim", "web.data", "-n", "pruned"]);
  await kubectl(["get", "configmap", "theirs", "-n", "pruned"]);
  const all = await provider.deleteWorkloads([bare], { ...live(), dryRun: true });
  assert.ok(all.some(({ object }) => object === "PersistentVolumeClaim/pruned/web.data"));
});

test("an object of someone else is never taken over", async (world) => {
  await anEnvironment(world, "taken");
  const { provider, kubectl } = world;
  await kubectl(["create", "service", "clusterip", "web", "--tcp=80", "-n", "taken"]);
  const taken = provider.applyWorkload(web("taken"), live());
  const error = await rejectsWith(taken, "ALREADY_EXISTS", "OWNED_BY_ANOTHER");
  assert.match(error.message, /Service\/taken\/web/);
  assert.equal(await provider.rolloutStatus("taken", "web", live()), undefined, "nothing was made");
  await kubectl(["create", "namespace", "theirs"]);
  const theirs = { environment: "theirs", uid: "u", cluster: "test", labels: {}, quota: NO_QUOTA };
  await rejectsWith(provider.applyNamespace(theirs, live()), "ALREADY_EXISTS", "OWNED_BY_ANOTHER");
});

test("an immutable field is named, with what to do", async (world) => {
  await anEnvironment(world, "fixed");
  const { provider } = world;
  const storage = { size: "2Gi", storageClass: null, shared: false };
  const volume = { name: "data", path: "/data", readOnly: false, scratch: null };
  const withClass = (storageClass: string | null) =>
    web("fixed", {
      volumes: [{ ...volume, secret: null, config: null, storage: { ...storage, storageClass } }],
    });
  await provider.applyWorkload(withClass("slow"), live());
  const error = await rejectsWith(
    provider.applyWorkload(withClass("fast"), live()),
    "FAILED_PRECONDITION",
    "IMMUTABLE_FIELD",
  );
  assert.match(error.message, /PersistentVolumeClaim\/fixed\/web\.data.*spec cannot be changed/);
});

test("what somebody else makes between the look and the apply is not taken over", async (world) => {
  await anEnvironment(world, "raced");
  const { server, kubectl } = world;
  const access = { cluster: "test", kubeconfig: server.kubeconfig, context: null };
  const inner = new HttpKubeClient({ access, clock: systemClock });
  const raced: string[] = [];
  /** Makes the object just before it is applied for the first time. */
  const client = new Proxy<KubeClient>(inner, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        const [object] = args as [LiveObject];
        if (key === "apply" && object.kind === "Service" && raced.length === 0) {
          raced.push(object.metadata.name);
          await kubectl(["create", "service", "clusterip", "web", "--tcp=80", "-n", "raced"]);
        }
        return await Reflect.apply(member, target, args);
      };
    },
  });
  const provider = new KubernetesProvider({
    client,
    clock: systemClock,
    installation: "test",
    charts: null,
  });
  try {
    const error = await rejectsWith(
      provider.applyWorkload(web("raced"), { ...live(), forceConflicts: true }),
      "ALREADY_EXISTS",
      "OWNED_BY_ANOTHER",
    );
    assert.deepEqual(raced, ["web"]);
    assert.equal(error.metadata["owner"], "kubectl-create");
    const labels = ["get", "service", "web", "-n", "raced", "-o", "jsonpath={.metadata.labels}"];
    assert.doesNotMatch(await kubectl(labels), /mpc/);
    await kubectl(["delete", "service", "web", "-n", "raced"]);
    await provider.applyWorkload(web("raced"), live());
    assert.match(await kubectl(labels), /uid-raced-web/);
  } finally {
    await provider.close();
  }
});

test("a fenced deletion does not hit an object that has changed since it was read", async (world) => {
  await anEnvironment(world, "fenced");
  const { provider, kubectl } = world;
  await provider.applyWorkload(web("fenced"), live());
  let edited = false;
  const beforeDelete = async () => {
    if (edited) return;
    edited = true;
    await kubectl(["label", "deployment", "web", "-n", "fenced", "edited=yes"]);
  };
  await rejectsWith(
    provider.deleteWorkloads([web("fenced")], { ...live(), beforeDelete }),
    "ABORTED",
    "CLUSTER_CONFLICT",
  );
  const left = await kubectl(["get", "deployment", "web", "-n", "fenced", "-o", "yaml"]);
  assert.match(left, /edited: "yes"/);
  assert.doesNotMatch(left, /deletionTimestamp/);
});

test("custom resources of others in a namespace are found by discovery", async (world) => {
  await anEnvironment(world, "custom");
  const { provider, kubectl } = world;
  await provider.applyWorkload(web("custom"), live());
  const ref = { environment: "custom", uid: "uid-custom" };
  assert.deepEqual(await provider.unmanagedObjects(ref, live()), []);
  const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", singular: "widget", kind: "Widget" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
  await kubectl(["apply", "-f", "-"], JSON.stringify(definition));
  await kubectl(["wait", "--for=condition=Established", "crd/widgets.example.com"]);
  const widget = {
    apiVersion: "example.com/v1",
    kind: "Widget",
    metadata: { name: "theirs", namespace: "custom" },
  };
  await eventually(
    "the kind can be used",
    () => kubectl(["apply", "-f", "-"], JSON.stringify(widget)),
  );
  await eventually(
    "the kind is discovered",
    async () =>
      assert.deepEqual(await provider.unmanagedObjects(ref, live()), ["Widget/custom/theirs"]),
  );
  await kubectl(["delete", "crd", "widgets.example.com"]);
});

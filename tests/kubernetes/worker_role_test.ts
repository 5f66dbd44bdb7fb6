/** The role of workers on a real API server: what they do is allowed, and ways to more are closed. */
import assert from "node:assert/strict";
import { NO_QUOTA } from "@mpc/domain";
import { systemClock } from "@mpc/process";
import { HttpKubeClient, NamespaceMark } from "../../worker/providers/kubernetes/mod.ts";
import { eventually } from "../servers/eventually.ts";
import type { KubeApiServer } from "../servers/kube_api_server.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import { anEnvironment, live, providerSuite, type ProviderWorld, web } from "./provider_world.ts";

const ROLE = new URL("../../deploy/kubernetes/worker_role.yaml", import.meta.url).pathname;

const WORKER = "system:serviceaccount:mpc-system:mpc-worker";

const GROUPS = [
  "system:serviceaccounts",
  "system:serviceaccounts:mpc-system",
  "system:authenticated",
];

const test = providerSuite();

const theirs = (kind: string, name: string, namespace: string, more: object) => ({
  ...{ apiVersion: "v1", kind, metadata: { name, namespace } },
  ...more,
});

/** Installs role and policies, and waits until the policies are enforced. */
async function install(
  { kubectl, server }: Pick<ProviderWorld, "kubectl" | "server">,
): Promise<{ readonly kubeconfig: string; readonly worker: Kubectl }> {
  await kubectl(["apply", "-f", ROLE]);
  const kubeconfig = await server.kubeconfigOf({ name: WORKER, groups: GROUPS });
  const worker = await kubectlOf(kubeconfig);
  await eventually("the policies are enforced", async () => {
    const label = worker(["label", "namespace", "default", "a=b", "--dry-run=server"]);
    await assert.rejects(label, /denied request: workers may change only namespaces/);
    const bound = worker([...BIND, "--namespace=default", "--dry-run=server"]);
    await assert.rejects(bound, /denied request: workers may change objects only in namespaces/);
  });
  return { kubeconfig, worker };
}

const BIND = [
  ...["create", "rolebinding", "mine", "--clusterrole=mpc-environment"],
  "--serviceaccount=mpc-system:mpc-worker",
];

test("with its role, a worker can execute every kind of step", async (world) => {
  const { kubectl, providerBy } = world;
  const { kubeconfig } = await install(world);
  const provider = providerBy(kubeconfig);
  const ref = { environment: "granted", uid: "uid-granted" };
  const quota = { workloads: 5, cpu: "2", memory: "2Gi" };
  const environment = { ...ref, cluster: "test", labels: {}, quota };
  const planned = await provider.applyNamespace(environment, { ...live(), dryRun: true });
  assert.deepEqual(planned.map(({ object }) => object), [
    "Namespace/granted",
    "RoleBinding/granted/mpc-worker",
  ]);
  await provider.applyNamespace(environment, live());
  await provider.applyPolicies(environment, live());
  await provider.applyNamespace({ ...environment, labels: { team: "web" } }, live());
  const spec = {
    env: { KEY: "value" },
    autoscaling: { minReplicas: 1, maxReplicas: 2, targetCpuPercent: 80 },
    disruptionBudget: { maxUnavailable: 1 },
  };
  const everything = web("granted", spec);
  await provider.applyWorkload(everything, { ...live(), dryRun: true });
  await provider.applyWorkload(everything, live());
  await provider.awaitRollout(everything, live());
  assert.deepEqual(await provider.drift(everything, live()), []);
  assert.equal((await provider.pods("granted", "web", live())).length, 1);
  assert.ok((await provider.events("granted", "web", live())).length > 0);
  const query = { ...live(), follow: false, tail: null, since: null, replica: null };
  assert.ok((await Array.fromAsync(provider.logs("granted", "web", query))).length > 0);
  // Without the variables, the Secret is pruned.
  const { env: _, ...rest } = spec;
  const second = web("granted", rest, { revision: 2 });
  await provider.applyWorkload(second, live());
  await provider.awaitRollout(second, live());
  const pruned = await provider.pruneWorkload(second, live());
  assert.deepEqual(pruned.map(({ object }) => object), ["Secret/granted/web.env"]);
  await provider.applyWorkload(web("granted", spec, { revision: 3 }), live());
  const granted = async () => {
    const { objects } = await provider.inventory(live());
    return objects.filter(({ target }) => /granted/.test(target)).map(({ object }) => object);
  };
  assert.ok((await granted()).includes("Secret/granted/web.env"), "Secrets are in the inventory");
  // A finalizer keeps the Secret, which the worker may not watch in all namespaces.
  const finalizers = (value: string) => [
    ...["patch", "secret", "web.env", "-n", "granted", "--type=merge"],
    `-p={"metadata":{"finalizers":${value}}}`,
  ];
  await kubectl(finalizers('["example.com/hold"]'));
  const workload = { ...ref, workload: "web", uid: everything.uid };
  const deleted = await provider.deleteWorkloads([workload], live());
  const blocked = Promise.withResolvers<string>();
  const gone = provider.awaitWorkloadGone(workload, {
    ...live(),
    deleted,
    onBlocked: ([blocker]) => blocker && blocked.resolve(blocker.object),
  });
  assert.equal(await blocked.promise, "Secret/granted/web.env");
  await kubectl(finalizers("[]"));
  await gone;
  await provider.deletePolicies(ref, live());
  await provider.deleteNamespace(ref, live());
  await provider.awaitNamespaceGone(ref, live());
  assert.deepEqual(await granted(), []);
});

test("with its role, a worker compares what it applied, and names its RoleBinding if that is gone", async (world) => {
  const { kubectl, providerBy } = world;
  const provider = providerBy((await install(world)).kubeconfig);
  const environment = {
    ...{ environment: "bound", uid: "uid-bound", cluster: "test" },
    ...{ labels: {}, quota: NO_QUOTA },
  };
  const drift = async () =>
    (await provider.environmentDrift(environment, live()))
      .map(({ action, object }) => `${action} ${object}`);
  assert.deepEqual((await drift()).slice(0, 2), [
    "CREATE Namespace/bound",
    "CREATE RoleBinding/bound/mpc-worker",
  ]);
  await provider.applyNamespace(environment, live());
  await provider.applyPolicies(environment, live());
  assert.deepEqual(await drift(), []);
  await kubectl(["delete", "networkpolicy", "dns", "-n", "bound"]);
  assert.deepEqual(await drift(), ["CREATE NetworkPolicy/bound/dns"]);
  await kubectl(["delete", "rolebinding", "mpc-worker", "-n", "bound"]);
  assert.deepEqual(await drift(), ["CREATE RoleBinding/bound/mpc-worker"]);
  await provider.applyNamespace(environment, { ...live(), forceConflicts: true });
  await provider.applyPolicies(environment, { ...live(), forceConflicts: true });
  assert.deepEqual(await drift(), []);
});

test("a worker may claim the cluster, and change nothing in the namespace of its claim", async (world) => {
  const { kubeconfig, worker } = await install(world);
  const access = { cluster: "test", kubeconfig, context: null };
  const client = new HttpKubeClient({ access, clock: systemClock });
  const mark = new NamespaceMark(client, "granted");
  assert.ok(await mark.replace(await mark.read(live()), "first", live()));
  assert.ok(await mark.replace(await mark.read(live()), "second", live()));
  assert.equal((await mark.read(live())).text, "second");
  const bound = worker([...BIND, "-n", "mpc-granted"]);
  await assert.rejects(bound, /denied request: workers may change objects only in namespaces/);
  await client.close();
});

test("a worker reads no Secrets and ConfigMaps of others", async (world) => {
  const { worker } = await install(world);
  await assert.rejects(worker(["get", "secrets", "-A"]), /cannot list resource "secrets"/);
  await assert.rejects(worker(["get", "configmaps", "-n", "kube-system"]), /cannot list/);
});

/** Ways to become an administrator. Each is a command of the worker, with a manifest if it needs one. */
const ESCALATIONS: readonly (readonly [string, readonly string[], object?])[] = [
  [
    "a token of a service account of the system, by a Secret",
    ["create", "-f", "-"],
    theirs("Secret", "token", "kube-system", {
      metadata: {
        name: "token",
        namespace: "kube-system",
        annotations: { "kubernetes.io/service-account.name": "clusterrole-aggregation-controller" },
      },
      type: "kubernetes.io/service-account-token",
    }),
  ],
  [
    "the same by server-side apply",
    ["apply", "--server-side", "-f", "-"],
    theirs("Secret", "token", "kube-system", { type: "kubernetes.io/service-account-token" }),
  ],
  ["a token of such an account", ["create", "token", "default", "-n", "kube-system"]],
  [
    "a pod with another account",
    ["create", "-f", "-"],
    theirs("Pod", "p", "kube-system", {
      spec: { serviceAccountName: "admin", containers: [{ name: "a", image: "a" }] },
    }),
  ],
  [
    "a program in a namespace of the system",
    ["create", "deployment", "d", "--image=a", "-n", "kube-system"],
  ],
  ["the environments' role in kube-system", [...BIND, "-n", "kube-system"]],
  ["the environments' role in a namespace of others", [...BIND, "-n", "theirs"]],
  [
    "all permissions in an environment",
    ["create", "rolebinding", "r", "--clusterrole=admin", `--user=${WORKER}`, "-n", "mine"],
  ],
  [
    "all permissions",
    ["create", "clusterrolebinding", "r", "--clusterrole=cluster-admin", `--user=${WORKER}`],
  ],
  ["more permissions in its role", [
    ...["patch", "clusterrole", "mpc-environment", "--type=json"],
    '-p=[{"op":"add","path":"/rules/-","value":{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}}]',
  ]],
  [
    "a role of its own",
    ["create", "role", "r", "--verb=*", "--resource=secrets", "-n", "mine"],
  ],
  ["being somebody else", ["get", "nodes", "--as=system:admin", "--as-group=system:masters"]],
  ["a namespace of others, by our label", [
    ...["label", "namespace", "theirs"],
    ...["app.kubernetes.io/managed-by=mpc", "mpc/environment=theirs"],
  ]],
  ["kube-system, by our label", [
    ...["label", "namespace", "kube-system"],
    ...["app.kubernetes.io/managed-by=mpc", "mpc/environment=x"],
  ]],
  ["the deletion of a namespace of others", ["delete", "namespace", "theirs"]],
  [
    "privileged pods in an environment",
    ["label", "--overwrite", "namespace", "mine", "pod-security.kubernetes.io/enforce=privileged"],
  ],
  ["a namespace with privileged pods", ["create", "-f", "-"], {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: "loose",
      labels: {
        "app.kubernetes.io/managed-by": "mpc",
        "mpc/environment": "loose",
        "pod-security.kubernetes.io/enforce": "privileged",
      },
    },
  }],
  ["an older, weaker Pod Security", [
    ...["label", "namespace", "mine", "pod-security.kubernetes.io/enforce-version=v1.0"],
  ]],
  ["the end of the policies", ["delete", "validatingadmissionpolicy", "mpc-worker-objects"]],
  ["a shell in a pod of an environment", ["exec", "-n", "mine", "web", "--", "sh"]],
  ["a node", ["get", "--raw", "/api/v1/nodes/node-0/proxy/pods"]],
];

test("ways to more permissions are closed", async (world) => {
  const { kubectl, providerBy, server } = world;
  const { kubeconfig, worker } = await install(world);
  await anEnvironment({ provider: providerBy(kubeconfig) }, "mine");
  await kubectl(["create", "namespace", "theirs"]);
  await assertChecked(worker, server);
  for (const [title, command, manifest] of ESCALATIONS) {
    const stdin = manifest && JSON.stringify(manifest);
    await assert.rejects(worker(command, stdin), /forbidden|Forbidden|denied/, title);
  }
});

/** The same kinds of commands succeed where the worker may: what is rejected is not so by mistake. */
async function assertChecked(worker: Kubectl, { url }: KubeApiServer): Promise<void> {
  const secret = theirs("Secret", "own", "mine", { type: "Opaque" });
  await worker(["create", "-f", "-"], JSON.stringify(secret));
  await worker(["label", "namespace", "mine", "team=web"]);
  await worker([...BIND, "-n", "mine"]);
  const whoami = await worker(["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"]);
  assert.equal(whoami, WORKER, url);
}

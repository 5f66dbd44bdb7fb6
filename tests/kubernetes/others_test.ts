/** The provider and other managers that change the same objects. */
import assert from "node:assert/strict";
import { NO_QUOTA } from "@mpc/domain";
import { rejectsWith } from "../fakes/rejects.ts";
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

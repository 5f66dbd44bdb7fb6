/** The transfer of `spec.replicas` between us and an autoscaler. */
import assert from "node:assert/strict";
import { rejectsWith } from "../fakes/rejects.ts";
import { anEnvironment, live, providerSuite, type ProviderWorld, web } from "./provider_world.ts";

const test = providerSuite();

const scaled = (environment: string, minReplicas: number) =>
  web(environment, {
    replicas: minReplicas,
    resources: { cpu: "100m", memory: null },
    autoscaling: { minReplicas, maxReplicas: 9, targetCpuPercent: 80 },
  });

const replicas = async ({ kubectl }: ProviderWorld, environment: string) =>
  Number(await kubectl(["get", "deployment", "web", "-n", environment, "-o", REPLICAS]));

const REPLICAS = "jsonpath={.spec.replicas}";

/** Scales like an autoscaler whose load grows. */
const grow = ({ kubectl }: ProviderWorld, environment: string, count: number) =>
  kubectl([
    ...["patch", "deployment", "web", "-n", environment, "--subresource=scale", "--type=merge"],
    ...["-p", JSON.stringify({ spec: { replicas: count } })],
    "--field-manager=kube-controller-manager",
  ]);

test("an autoscaled workload begins with the autoscaler's minimum", async (world) => {
  await anEnvironment(world, "least");
  await world.provider.applyWorkload(scaled("least", 4), live());
  assert.equal(await replicas(world, "least"), 4);
  assert.deepEqual(await world.provider.applyWorkload(scaled("least", 4), live()), []);
});

test("no pod is removed when an autoscaler takes over, and applying keeps its number", async (world) => {
  await anEnvironment(world, "over");
  const { provider } = world;
  const fixed = web("over", { replicas: 5 });
  await provider.applyWorkload(fixed, live());
  const planned = await provider.applyWorkload(scaled("over", 2), { ...live(), dryRun: true });
  assert.doesNotMatch(JSON.stringify(planned), /spec\.replicas/, "the plan contains no decrease");
  await provider.applyWorkload(scaled("over", 2), live());
  assert.equal(await replicas(world, "over"), 5);
  await grow(world, "over", 7);
  await provider.applyWorkload(scaled("over", 2), live());
  assert.equal(await replicas(world, "over"), 7);
  assert.deepEqual(await provider.drift(scaled("over", 2), live()), []);
});

test("replicas are taken back from an autoscaler without a conflict", async (world) => {
  await anEnvironment(world, "back");
  const { provider } = world;
  await provider.applyWorkload(scaled("back", 2), live());
  await grow(world, "back", 7);
  const fixed = web("back", { replicas: 3 });
  const planned = await provider.applyWorkload(fixed, { ...live(), dryRun: true });
  const ours = planned.flatMap(({ fields }) =>
    fields.filter(({ path }) => path === "spec.replicas")
  );
  assert.deepEqual(ours, [{ path: "spec.replicas", before: "7", after: "3" }]);
  await provider.applyWorkload(fixed, live());
  assert.equal(await replicas(world, "back"), 3);
  await provider.applyWorkload(web("back", { replicas: 4 }), live());
  assert.equal(await replicas(world, "back"), 4);
});

test("replicas of someone else's autoscaler are a conflict, and stay when it is forced", async (world) => {
  await anEnvironment(world, "foreign");
  const { provider, kubectl } = world;
  await provider.applyWorkload(web("foreign", { replicas: 2 }), live());
  await kubectl(["autoscale", "deployment", "web", "--min=3", "--max=5", "-n", "foreign"]);
  await grow(world, "foreign", 4);
  const applied = provider.applyWorkload(web("foreign", { replicas: 2 }), live());
  await rejectsWith(applied, "ABORTED", "FIELD_CONFLICT");
  const forced = { ...live(), forceConflicts: true };
  const [change] = await provider.applyWorkload(web("foreign", { replicas: 2 }), forced);
  assert.match(change?.note ?? "", /HorizontalPodAutoscaler\/foreign\/web.* replicas at 4$/);
  assert.equal(await replicas(world, "foreign"), 4);
});

/** What rollouts wait for, on a real API server with its controllers. */
import assert from "node:assert/strict";
import type { Volume } from "@mpc/domain";
import type { RolloutProgress, WorkloadIntent } from "@mpc/services";
import { rejectsWith } from "../fakes/rejects.ts";
import { anEnvironment, live, providerSuite, type ProviderWorld, web } from "./provider_world.ts";

const test = providerSuite();

/** Waits for a rollout that does not end by itself, until its progress matches. */
async function progressOf(
  { provider }: ProviderWorld,
  intent: WorkloadIntent,
  expected: RegExp,
): Promise<RolloutProgress> {
  const seen = Promise.withResolvers<RolloutProgress>();
  const stop = new AbortController();
  const told: string[] = [];
  const rollout = provider.awaitRollout(intent, {
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(30_000)]),
    onProgress: (progress) => {
      told.push(progress.message);
      if (expected.test(progress.message)) seen.resolve(progress);
    },
  });
  rollout.catch((error) =>
    seen.reject(new Error(`it said only ${told.join(" | ")}`, { cause: error }))
  );
  try {
    return await seen.promise;
  } finally {
    stop.abort();
    await rollout.catch(() => {});
  }
}

/** Reports a warning about the only pod of an environment, like a kubelet. */
async function warn(
  { kubectl }: ProviderWorld,
  namespace: string,
  { reason, message }: { readonly reason: string; readonly message: string },
): Promise<void> {
  await kubectl(["wait", "pod", "-n", namespace, "-l", "mpc/workload=web", "--for=create"]);
  const [pod] = JSON.parse(await kubectl(["get", "pods", "-n", namespace, "-o", "json"])).items;
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const event = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `web.${reason.toLowerCase()}`, namespace },
    involvedObject: {
      ...{ apiVersion: "v1", kind: "Pod", namespace },
      ...{ name: pod.metadata.name, uid: pod.metadata.uid },
    },
    ...{ reason, message, type: "Warning", count: 1, firstTimestamp: now, lastTimestamp: now },
  };
  await kubectl(["create", "-f", "-"], JSON.stringify(event));
}

const stuck = (environment: string) => web(environment, { image: "localhost/nginx:stuck" });

test("the answer of a failing probe is in the progress of its rollout", async (world) => {
  await anEnvironment(world, "probed");
  await world.provider.applyWorkload(stuck("probed"), live());
  const message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
  await warn(world, "probed", { reason: "Unhealthy", message });
  const { advice } = await progressOf(world, stuck("probed"), /pod 'web-.*': Unhealthy: .* 503$/);
  assert.equal(advice?.command, "mpctl workload logs web --env probed");
});

test("a ConfigMap that a volume lacks is in the progress, with the command that creates it", async (world) => {
  await anEnvironment(world, "unmounted");
  await world.provider.applyWorkload(stuck("unmounted"), live());
  await warn(world, "unmounted", {
    reason: "FailedMount",
    message: 'MountVolume.SetUp failed for volume "config" : configmap "settings" not found',
  });
  const { advice } = await progressOf(world, stuck("unmounted"), /FailedMount: .*"settings" not/);
  assert.equal(advice?.responsible, "caller");
  const [program, ...command] = advice?.command.split(" ") ?? [];
  assert.equal(program, "kubectl");
  await world.kubectl(command);
  await world.kubectl(["get", "configmap", "settings", "-n", "unmounted"]);
});

const volume = (storageClass: string): Volume => ({
  ...{ name: "data", path: "/data", readOnly: false, scratch: null, secret: null, config: null },
  storage: { size: "1Gi", storageClass, shared: false },
});

test("a claim of a storage class that does not exist is named, and fails the rollout early", async (world) => {
  await anEnvironment(world, "unbound");
  const intent = web("unbound", { volumes: [volume("lightning")] });
  await world.provider.applyWorkload(intent, live());
  const expected = /claim 'web\.data': ProvisioningFailed: .*"lightning" not found/;
  const { advice } = await progressOf(world, intent, expected);
  const [program, ...command] = advice?.command.split(" ") ?? [];
  assert.equal(program, "kubectl");
  await world.kubectl(command);
  const error = await rejectsWith(
    world.provider.awaitRollout(intent, live()),
    "FAILED_PRECONDITION",
    "VOLUME_NOT_BOUND",
  );
  assert.match(error.message, /ProvisioningFailed: claim 'web\.data': .*"lightning" not found/);
});

test("a paused deployment fails its rollout at once, and the command that is named resumes it", async (world) => {
  await anEnvironment(world, "paused");
  const { provider, kubectl } = world;
  await provider.applyWorkload(web("paused"), live());
  await provider.awaitRollout(web("paused"), live());
  await kubectl(["rollout", "pause", "deployment", "web", "-n", "paused"]);
  const restarted = web("paused", {}, { revision: 2, restartToken: "again" });
  await provider.applyWorkload(restarted, live());
  const error = await rejectsWith(
    provider.awaitRollout(restarted, live()),
    "FAILED_PRECONDITION",
    "ROLLOUT_PAUSED",
  );
  const [, remedy = ""] = /'kubectl ([^']+)'/.exec(error.message) ?? [];
  await kubectl(remedy.split(" "));
  assert.equal((await provider.awaitRollout(restarted, live())).ready, 1);
});

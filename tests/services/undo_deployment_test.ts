/** How a failed deployment is undone: in which order, and when it counts as undone. */
import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import type { ApplyCall, Provider, RolloutCall, WorkloadIntent } from "@mpc/services";
import type { SimulatedProvider } from "@mpc/worker/simulated";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { create, deploy } from "../fakes/scenarios.ts";

/** Told each call that is no dry run; rejects to fail it. */
type Watcher = (call: string, restore: boolean) => Promise<void>;

/** A simulated cluster that tells of the calls that deploy workloads. */
const watched = (watch: Watcher) => (bare: SimulatedProvider): Provider => {
  const told = async (
    name: string,
    { revision }: WorkloadIntent,
    call: ApplyCall & RolloutCall,
  ) => {
    if (!call.dryRun) await watch(`${name} ${revision}`, call.restore ?? false);
  };
  const [apply, prune, wait] = [
    bare.applyWorkload.bind(bare),
    bare.pruneWorkload.bind(bare),
    bare.awaitRollout.bind(bare),
  ];
  return Object.assign(bare, {
    async applyWorkload(intent: WorkloadIntent, call: ApplyCall) {
      await told("apply", intent, call);
      return await apply(intent, call);
    },
    async pruneWorkload(intent: WorkloadIntent, call: ApplyCall) {
      await told("prune", intent, call);
      return await prune(intent, call);
    },
    async awaitRollout(intent: WorkloadIntent, call: RolloutCall) {
      await told("await", intent, call);
      return await wait(intent, call);
    },
  });
};

const noQuota = () =>
  new MpcError("RESOURCE_EXHAUSTED", {
    reason: "QUOTA_EXCEEDED",
    message: "exceeded quota",
    retryable: false,
  });

async function objects({ cluster, caller }: Platform): Promise<readonly string[]> {
  return (await cluster.inventory(caller)).objects.map(({ object }) => object)
    .filter((object) => /^(Deployment|Service|Secret)/.test(object)).sort();
}

Deno.test("a first deployment prunes nothing, an update does after its rollout", () => {
  const calls: string[] = [];
  const watch = (call: string) => Promise.resolve(void calls.push(call));
  return withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:1"));
    await platform.ended(await deploy(platform, "nginx:2"));
    assert.deepEqual(calls, ["apply 1", "await 1", "apply 2", "await 2", "prune 2"]);
  }, { provider: watched(watch) });
});

Deno.test("an undo deletes the failed revision's objects after the restored ones are ready", () => {
  const calls: string[] = [];
  const watch = (call: string, restore: boolean) =>
    Promise.resolve(void calls.push(restore ? `${call} again` : call));
  return withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:1"));
    const before = await objects(platform);
    calls.length = 0;
    const { state } = await platform.ended(await deploy(platform, "nginx:missing"));
    assert.equal(state, "FAILED");
    assert.deepEqual(calls, [
      ...["apply 2", "await 2"],
      ...["apply 1 again", "await 1 again", "prune 1 again"],
    ]);
    assert.deepEqual(await objects(platform), before);
    await platform.assertSound();
  }, { provider: watched(watch) });
});

Deno.test("objects of the failed revision that are in the way are deleted first", () => {
  let pruned = false;
  const watch = (call: string, restore: boolean) => {
    if (restore && call === "prune 1") pruned = true;
    return restore && call === "await 1" && !pruned ? Promise.reject(noQuota()) : Promise.resolve();
  };
  return withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:1"));
    const { state } = await platform.ended(await deploy(platform, "nginx:crash"));
    assert.deepEqual([state, pruned], ["FAILED", true]);
    await platform.assertSound();
  }, { provider: watched(watch) });
});

Deno.test("an undo whose restored revision is not ready needs attention, and says why", () => {
  const watch = (call: string, restore: boolean) =>
    restore && call === "await 1" ? Promise.reject(noQuota()) : Promise.resolve();
  return withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:1"));
    const operation = await platform.ended(await deploy(platform, "nginx:crash"));
    assert.equal(operation.state, "NEEDS_ATTENTION");
    const [residue] = operation.residue;
    assert.equal(residue?.reason, "revision 1 could not be restored, or is not ready");
    const [undo] = operation.steps.filter(({ state }) => state === "UNDO_FAILED");
    assert.match(undo?.attempts.at(-1)?.error?.message ?? "", /exceeded quota/);
    const stored = await platform.store.workloads.get("environments/dev/workloads/web");
    assert.equal(stored?.value.state, "DEPLOY_FAILED");
  }, { provider: watched(watch) });
});

Deno.test("after a failed deployment, objects of every kind are looked for", () => {
  const thorough: (boolean | undefined)[] = [];
  const provider = (bare: SimulatedProvider): Provider => {
    const prune = bare.pruneWorkload.bind(bare);
    return Object.assign(bare, {
      pruneWorkload(intent: WorkloadIntent, call: ApplyCall) {
        if (!call.restore) thorough.push(call.leftovers);
        return prune(intent, call);
      },
    });
  };
  return withPlatform(async (platform) => {
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform, "nginx:1"));
    await platform.ended(await deploy(platform, "nginx:2"));
    await platform.ended(await deploy(platform, "nginx:crash"));
    await platform.ended(await deploy(platform, "nginx:3"));
    assert.deepEqual(thorough, [false, true]);
  }, { provider });
});

/**
 * Every order of the reads and writes of an admission, of its repetition, and of processes that
 * consider it interrupted: an acknowledged operation stays, and is the same for all callers.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { etagOf, isMpcError } from "@mpc/domain";
import { createEnvironment, deployWorkload, dropUnadmitted, isAdmitted } from "@mpc/services";
import type { Collection, Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { requestIdOf } from "../fakes/request_id.ts";
import { create, deploy } from "../fakes/scenarios.ts";

type Calls = Pick<fc.Scheduler, "schedule">;

/** For how many turns of others a write waits. */
interface Lateness {
  /** Of locks, which are writes to resources. */
  readonly locks: number;
  /** Of deletions, which drop operations. */
  readonly deletes: number;
}

const arbitraryLateness = fc.record({ locks: fc.nat(15), deletes: fc.nat(10) });

/** A store whose calls are made in the order that the scheduler decides. */
function scheduled(store: Store, calls: Calls, { locks, deletes }: Lateness): Store {
  const wrap = <T extends { readonly name: string }, C extends Collection<T>>(
    collection: C,
    late: Readonly<Record<string, number>>,
  ): C =>
    new Proxy(collection, {
      get: (target, key) => {
        const method = Reflect.get(target, key);
        if (typeof method !== "function") return method;
        return async (...args: unknown[]) => {
          for (let turn = 0; turn <= (late[String(key)] ?? 0); turn++) {
            await calls.schedule(Promise.resolve(), `${String(key)}`);
          }
          return await method.apply(target, args);
        };
      },
    });
  const lock = { create: locks, replace: locks };
  return {
    ...store,
    environments: wrap(store.environments, lock),
    workloads: wrap(store.workloads, lock),
    operations: wrap(store.operations, { delete: deletes }),
    events: store.events,
    close: () => store.close(),
  } as Store;
}

const CHANGES = {
  "create an environment": (platform: Platform) =>
    createEnvironment(platform.deps, platform.caller, {
      environmentId: "shop",
      environment: {},
      requestId: requestIdOf(1),
    }),
  "deploy a workload": (platform: Platform) =>
    deployWorkload(platform.deps, platform.caller, {
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "nginx:1.27" } },
      etag: "",
      timeoutMs: null,
      requestId: requestIdOf(1),
    }),
};

for (const [title, change] of Object.entries(CHANGES)) {
  Deno.test(`an admission that others consider interrupted: ${title}`, async () => {
    let admitted = 0;
    let dropped = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.nat(2),
        fc.nat(3),
        arbitraryLateness,
        async (scheduler, repeats, drops, late) => {
          const bare = openMemoryStore();
          await withPlatform(async (platform) => {
            await platform.ended(
              await createEnvironment(platform.deps, platform.caller, {
                environmentId: "dev",
                environment: {},
              }),
            );
            // No engine runs: its first write would protect the record from being dropped.
            await platform.crash();
            const store = scheduled(bare, scheduler, late);
            const deps = { ...platform.deps, store };
            const acknowledged = new Set<string>();
            let asking = repeats + 1;
            const ask = async () => {
              try {
                const { operation } = await change({ ...platform, deps } as typeof platform);
                acknowledged.add(operation!.value.name);
              } catch (error) {
                // A lock whose operation was dropped may still be there, and cause rejections.
                if (drops === 0 || !isMpcError(error, "ABORTED", "ALREADY_EXISTS")) throw error;
              } finally {
                asking--;
              }
            };
            const drop = async () => {
              const pending = { op: "=" as const, path: ["state"], value: "PENDING" };
              // One look is not enough: most come before the first write.
              while (asking > 0) {
                const { items } = await store.operations.list({ filter: pending, limit: 10 });
                for (const stored of items) {
                  try {
                    if (await isAdmitted(deps, stored.value)) return;
                    await dropUnadmitted(deps, stored);
                    if (await bare.operations.get(stored.value.name) === undefined) dropped++;
                    return;
                  } catch (error) {
                    if (!isMpcError(error, "ABORTED", "NOT_FOUND")) throw error;
                  }
                }
              }
            };
            const all = Promise.all([
              ...Array.from({ length: repeats + 1 }, ask),
              ...Array.from({ length: drops }, drop),
            ]);
            await Promise.race([scheduler.waitFor(all), all]);
            assert.ok(acknowledged.size <= 1, "the same request returns the same operation");
            if (drops === 0) assert.equal(acknowledged.size, 1);
            if (acknowledged.size > 0) admitted++;
            for (const name of acknowledged) {
              assert.ok(await bare.operations.get(name), "an acknowledged operation is there");
            }
            await platform.restart();
            await platform.settle();
            await platform.janitor().pass();
            await platform.settle();
            for (const name of acknowledged) {
              assert.equal((await platform.operation(name)).state, "SUCCEEDED");
            }
            await platform.assertSound();
          }, { store: bare });
        },
      ),
      { numRuns: 200, endOnFailure: true },
    );
    assert.ok(admitted > 100, `${admitted} of 200 runs admitted the change`);
    assert.ok(dropped > 30, `${dropped} records were dropped in 200 runs`);
  });
}

Deno.test("a change that is rejected after its operation was dropped leaves everything as it was", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    const name = "environments/dev/workloads/web";
    await platform.ended(await create(platform));
    const first = await platform.ended(await deploy(platform));
    const before = await store.workloads.get(name);
    const { replace } = store.workloads;
    store.workloads.replace = async (...call) => {
      store.workloads.replace = replace;
      // The lock is written so late that the operation has been dropped.
      const pending = { op: "=" as const, path: ["state"], value: "PENDING" };
      const { items: [operation] } = await store.operations.list({ filter: pending, limit: 1 });
      await dropUnadmitted(deps, operation!);
      return await replace.apply(store.workloads, call);
    };
    const late = deployWorkload(deps, caller, {
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "nginx:other" } },
      etag: etagOf(before!.value.uid, before!.version),
      timeoutMs: null,
    });
    await rejectsWith(late, "ABORTED", "ETAG_MISMATCH");
    const { value } = (await store.workloads.get(name))!;
    assert.deepEqual({ ...value, updateTime: 0 }, { ...before!.value, updateTime: 0 });
    assert.equal(value.lastOperation, first.name);
    await platform.assertSound();
  }));

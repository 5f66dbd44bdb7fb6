/** Limits of what one principal may have and do at the same time. */
import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import {
  createEnvironment,
  deleteEnvironment,
  deployWorkload,
  type Limits,
  type ServiceDeps,
  systemCaller,
} from "@mpc/services";
import { aCaller } from "../fakes/a_caller.ts";
import { withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";

const NONE: Limits = { environments: null, operations: null, callsPerSecond: null };
const ann = aCaller({ principal: "user:ann" });
const bob = aCaller({ principal: "user:bob" });

const withLimits = (deps: ServiceDeps, limits: Partial<Limits>): ServiceDeps => ({
  ...deps,
  limitsOf: ({ principal }) => principal === ann.principal ? { ...NONE, ...limits } : NONE,
});

const deletion = {
  etag: "",
  force: true,
  allowMissing: false,
  abandon: false,
  timeoutMs: null,
};

const create = (deps: ServiceDeps, environmentId: string, caller = ann, options = {}) =>
  createEnvironment(deps, caller, { environmentId, environment: {}, ...options });

Deno.test("a principal creates no more environments than its limit, until it deletes one", () =>
  withPlatform(async (platform) => {
    const deps = withLimits(platform.deps, { environments: 2 });
    for (const id of ["a", "b"]) await platform.ended(await create(deps, id));
    await assert.rejects(create(deps, "c"), (error) => {
      assert.ok(error instanceof MpcError);
      assert.deepEqual([error.code, error.reason], ["RESOURCE_EXHAUSTED", "ENVIRONMENT_LIMIT"]);
      assert.equal(
        error.message,
        "Cannot admit environment.create of 'environments/c': 'user:ann' has created 2 environments " +
          "that are there, and may have 2; delete one first",
      );
      assert.ok(!error.retryable);
      return true;
    });
    await platform.ended(await create(deps, "of-bob", bob));
    await platform.ended(
      await deleteEnvironment(deps, bob, { ...deletion, name: "environments/a" }),
    );
    await platform.ended(await create(deps, "c"));
  }));

Deno.test("an environment that somebody else changes still counts for its creator", () =>
  withPlatform(async (platform) => {
    const deps = withLimits(platform.deps, { environments: 1 });
    await platform.ended(await create(deps, "a"));
    const request = {
      parent: "environments/a",
      workloadId: "web",
      workload: { spec: { image: "nginx:1.27" } },
      etag: "",
      timeoutMs: null,
    };
    await platform.ended(await deployWorkload(deps, bob, request));
    await rejectsWith(create(deps, "b"), "RESOURCE_EXHAUSTED", "ENVIRONMENT_LIMIT");
  }));

Deno.test("a principal has no more unfinished operations than its limit", () =>
  withPlatform(async (platform) => {
    // Without an engine no operation ends.
    await platform.crash();
    const deps = withLimits(platform.deps, { operations: 2 });
    const [first] = [await create(deps, "a"), await create(deps, "b")];
    await rejectsWith(create(deps, "c"), "RESOURCE_EXHAUSTED", "OPERATION_LIMIT");
    await create(deps, "of-bob", bob);
    await create(deps, "of-platform", systemCaller("janitor", ann.signal));
    await platform.restart();
    await platform.ended(first);
    await platform.ended(await create(deps, "c"));
  }));

Deno.test("of many operations at the same time no more are admitted than the limit", async () => {
  for (const limits of [{ operations: 3 }, { environments: 3 }]) {
    await withPlatform(async (platform) => {
      await platform.crash();
      const deps = withLimits(platform.deps, limits);
      const all = Array.from({ length: 20 }, (_, index) => create(deps, `env-${index}`));
      const results = await Promise.allSettled(all);
      const admitted = results.filter(({ status }) => status === "fulfilled").length;
      assert.ok(admitted <= 3, `${admitted} are admitted`);
      for (const result of results) {
        if (result.status === "rejected") assert.equal(result.reason.code, "RESOURCE_EXHAUSTED");
      }
      await platform.restart();
      await platform.settle();
      assert.equal(
        await platform.store.environments.count({}),
        admitted,
        "the others left nothing",
      );
      assert.equal(await platform.store.operations.count({}), admitted);
    });
  }
});

Deno.test("a repeated request is answered at the limit, and a refused one may be sent again", () =>
  withPlatform(async (platform) => {
    // Without an engine no operation ends.
    await platform.crash();
    const deps = withLimits(platform.deps, { operations: 1 });
    const [one, two] = [1, 2].map((n) => ({
      requestId: `00000000-0000-4000-8000-00000000000${n}`,
    }));
    const first = await create(deps, "a", ann, one);
    const again = await create(deps, "a", ann, one);
    assert.equal(again.operation?.value.name, first.operation?.value.name);
    await rejectsWith(create(deps, "b", ann, two), "RESOURCE_EXHAUSTED", "OPERATION_LIMIT");
    await platform.restart();
    await platform.ended(first);
    await platform.ended(await create(deps, "b", ann, two));
  }));

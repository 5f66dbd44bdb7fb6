/** A platform whose cluster another copy of its database claims. */
import assert from "node:assert/strict";
import { DEFAULT_CLUSTER, NO_QUOTA } from "@mpc/domain";
import { claimCluster, listLeftovers, sweepObjects } from "@mpc/services";
import { VALID_MS } from "../../worker/providers/cluster_claims.ts";
import { carryOut } from "../fakes/carry_out.ts";
import { withClaims } from "../fakes/claimed_platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create, deploy, removeEnvironment, removeWorkload, update } from "../fakes/scenarios.ts";

const LOST = ["FAILED_PRECONDITION", "CLUSTER_CLAIMED_ELSEWHERE"] as const;

Deno.test("while another copy claims the cluster, nothing is admitted that changes it, and doctor says what leads out", () =>
  withClaims(async (platform, other, claims) => {
    const { deps, caller, cluster, store } = platform;
    await platform.ended(await create(platform));
    await platform.ended(await deploy(platform));
    await cluster.applyNamespace({
      environment: "left",
      uid: "uid-left",
      labels: {},
      quota: NO_QUOTA,
      cluster: DEFAULT_CLUSTER,
    }, caller);
    const { leftovers } = await listLeftovers(deps, caller);
    await other.takeOver(DEFAULT_CLUSTER, caller);
    await claims.renew(caller);
    const operations = await store.operations.count({});
    const { objects } = await cluster.inventory(caller);
    for (
      const change of [
        () => deploy(platform, "nginx:1.28"),
        () => update(platform),
        () => removeWorkload(platform),
        () => removeEnvironment(platform),
        () => sweepObjects(deps, caller, { leftovers }),
      ]
    ) {
      const error = await rejectsWith(change(), ...LOST);
      assert.match(error.message, /^Cannot change '(environments\/dev|platform)/);
    }
    assert.equal(await store.operations.count({}), operations, "none was admitted");
    await platform.janitor().pass();
    assert.deepEqual((await cluster.inventory(caller)).objects, objects);
    const found = (await platform.findings()).find(({ invariant }) =>
      invariant === "CLUSTER_CLAIMED_ELSEWHERE"
    );
    assert.equal(found?.remedy, "mpctl doctor --claim default");
    const claimed = await platform.ended(await carryOut(platform, found.remedy));
    assert.equal(claimed.state, "SUCCEEDED");
    await platform.ended(await removeEnvironment(platform));
    await platform.clock.advance(VALID_MS);
    await rejectsWith(other.assertHeld(DEFAULT_CLUSTER, caller), ...LOST);
  }));

Deno.test("an operation that a restored backup continues fails without a trace on the cluster, and its retry succeeds after the claim", () =>
  withClaims(async (platform, other) => {
    const { caller, cluster, clock } = platform;
    await platform.crash();
    const { operation } = await create(platform);
    await other.takeOver(DEFAULT_CLUSTER, caller);
    await clock.advance(VALID_MS);
    await platform.restart();
    const failed = await platform.ended({ operation: operation!, plan: null });
    assert.deepEqual([failed.state, failed.error?.reason], ["FAILED", LOST[1]]);
    assert.deepEqual((await cluster.inventory(caller)).objects, []);
    const claim = await claimCluster(platform.deps, caller, { cluster: DEFAULT_CLUSTER });
    assert.equal((await platform.ended(claim)).state, "SUCCEEDED");
    const id = failed.name.slice("operations/".length);
    const retried = await platform.ended(await carryOut(platform, `mpctl op retry ${id}`));
    assert.equal(retried.state, "SUCCEEDED");
  }));

Deno.test("only a cluster that workers have can be claimed", () =>
  withClaims(async ({ deps, caller }) => {
    const mars = claimCluster(deps, caller, { cluster: "mars" });
    const error = await rejectsWith(mars, "FAILED_PRECONDITION", "UNKNOWN_CLUSTER");
    assert.match(error.message, /workers have 'default'$/);
  }));

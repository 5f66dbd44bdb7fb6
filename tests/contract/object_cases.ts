import assert from "node:assert/strict";
import { aSpec } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { eventually } from "../servers/eventually.ts";
import {
  A_WHILE_MS,
  dev,
  live,
  type ProviderCase,
  ref,
  web,
  webRef,
  withNamespace,
  withWorkload,
} from "./provider_case.ts";

/** Every provider applies, identifies, lists and deletes objects. */
export const OBJECT_CASES: Readonly<Record<string, ProviderCase>> = {
  "it is reachable, also when it is empty": async ({ provider }) => {
    await provider.assertReachable(live());
    const aborted = provider.assertReachable({ signal: AbortSignal.abort() });
    await rejectsWith(aborted, "CANCELLED", "ABORTED_BY_CALLER");
  },
  "a namespace is created once, however often it is applied": async ({ provider }) => {
    const first = await provider.applyNamespace(dev, live());
    assert.deepEqual(first.map(({ action, object }) => [action, object]), [[
      "CREATE",
      "Namespace/dev",
    ]]);
    assert.deepEqual(await provider.applyNamespace(dev, live()), []);
  },
  "a label change is one field change": async (harness) => {
    await withNamespace(harness);
    const changed = { ...dev, labels: { team: "search" } };
    const [change] = await harness.provider.applyNamespace(changed, live());
    assert.equal(change?.action, "UPDATE");
    assert.match(change?.fields[0]?.before ?? "", /web/);
    assert.match(change?.fields[0]?.after ?? "", /search/);
  },
  "objects of another uid are never changed": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    const other = { ...dev, uid: "uid-other" };
    await rejectsWith(provider.applyNamespace(other, live()), "ALREADY_EXISTS", "OWNED_BY_ANOTHER");
    await provider.deleteNamespace({ ...ref, uid: "uid-other" }, live());
    await provider.applyWorkload(web(), live());
    const stranger = provider.applyWorkload(web({ uid: "uid-other" }), live());
    await rejectsWith(stranger, "ALREADY_EXISTS", "OWNED_BY_ANOTHER");
    await provider.deleteWorkloads([{ ...webRef, uid: "uid-other" }], live());
    await harness.advance(A_WHILE_MS);
    const { objects: inventory } = await provider.inventory(live());
    assert.ok(inventory.some(({ object }) => object === "Deployment/dev/web"));
  },
  "policies and workloads need a namespace": async ({ provider }) => {
    const policies = provider.applyPolicies(dev, live());
    await rejectsWith(policies, "FAILED_PRECONDITION", "NO_NAMESPACE");
    await rejectsWith(provider.applyWorkload(web(), live()), "FAILED_PRECONDITION", "NO_NAMESPACE");
  },
  "a dry run changes nothing, and predicts what applying does": async ({ provider }) => {
    const dryRun = { ...live(), dryRun: true };
    const planned = [
      ...await provider.applyNamespace(dev, dryRun),
      ...await provider.applyPolicies(dev, dryRun),
      ...await provider.applyWorkload(web(), dryRun),
    ];
    assert.deepEqual((await provider.inventory(live())).objects, []);
    const done = [
      ...await provider.applyNamespace(dev, live()),
      ...await provider.applyPolicies(dev, live()),
      ...await provider.applyWorkload(web(), live()),
    ];
    assert.deepEqual(done, planned);
    const deletion = await provider.deleteWorkloads([webRef], dryRun);
    assert.deepEqual(deletion.map(({ action }) => action), ["DELETE", "DELETE"]);
    assert.notEqual(await provider.rolloutStatus("dev", "web", live()), undefined);
  },
  "a changed secret is a change, but its value is not shown": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    const withKey = (KEY: string) => web({ spec: aSpec({ env: { KEY } }) });
    await provider.applyWorkload(withKey("hunter2"), live());
    const changes = await provider.applyWorkload(withKey("hunter3"), live());
    assert.ok(changes.length > 0);
    assert.deepEqual(new Set(changes.map(({ action }) => action)), new Set(["UPDATE"]));
    assert.doesNotMatch(JSON.stringify(changes), /hunter/);
  },
  "changes by others are drift, and applying reverts them": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    const missing = await provider.drift(web(), live());
    assert.deepEqual(new Set(missing.map(({ action }) => action)), new Set(["CREATE"]));
    await provider.applyWorkload(web(), live());
    assert.deepEqual(await provider.drift(web(), live()), []);
    await provider.applyWorkload(
      web({ spec: { ...web().spec, image: "somebody/elses:1" } }),
      live(),
    );
    const drift = await provider.drift(web(), live());
    assert.ok(drift.some(({ fields }) => fields.some(({ before }) => /elses/.test(before))));
    await provider.applyWorkload(web(), { ...live(), forceConflicts: true });
    assert.deepEqual(await provider.drift(web(), live()), []);
  },
  "changes by others to an environment are drift, object by object, and applying reverts them":
    async (
      harness,
    ) => {
      const { provider } = harness;
      const drift = async () => {
        const found = await provider.environmentDrift(dev, live());
        return found.map(({ action, object }) => `${action} ${object}`).toSorted();
      };
      const missing = await drift();
      assert.ok(missing.length > 3);
      assert.ok(missing.every((change) => change.startsWith("CREATE ")), missing.join());
      await withNamespace(harness);
      assert.deepEqual(await drift(), []);
      await provider.applyNamespace({ ...dev, labels: { team: "search" } }, live());
      await provider.applyPolicies({ ...dev, quota: { ...dev.quota, cpu: "3" } }, live());
      assert.deepEqual(await drift(), ["UPDATE Namespace/dev", "UPDATE ResourceQuota/dev/quota"]);
      await provider.deletePolicies(ref, live());
      await harness.advance(A_WHILE_MS);
      await eventually("the policies are gone", async () =>
        assert.deepEqual(
          await drift(),
          [
            "UPDATE Namespace/dev",
            ...missing.filter((change) => change !== "CREATE Namespace/dev"),
          ].toSorted(),
        ));
      await withNamespace(harness);
      assert.deepEqual(await drift(), []);
      const other = { ...dev, uid: "uid-other" };
      assert.ok(
        (await provider.environmentDrift(other, live())).length > 0,
        "it belongs to another",
      );
    },
  "an update keeps what it replaces until it is pruned": async (harness) => {
    await withWorkload(harness);
    const { provider } = harness;
    const service = async () =>
      (await provider.inventory(live())).objects.some(({ object }) => object === "Service/dev/web");
    const changed = web({ spec: aSpec({ replicas: 2 }), revision: 2 });
    const told = await provider.applyWorkload(changed, live());
    assert.deepEqual(told.filter(({ action }) => action === "DELETE"), []);
    const rollout = provider.awaitRollout(changed, live());
    await harness.advance(A_WHILE_MS);
    await rollout;
    assert.ok(await service(), "the pods of revision 1 are reached by it until then");
    assert.ok((await provider.drift(changed, live())).some(({ action }) => action === "DELETE"));
    const planned = await provider.pruneWorkload(changed, { ...live(), dryRun: true });
    assert.deepEqual(planned.map(({ action, object }) => [action, object]), [
      ["DELETE", "Service/dev/web"],
    ]);
    assert.deepEqual(await provider.pruneWorkload(changed, live()), planned);
    await harness.advance(A_WHILE_MS);
    await eventually("the Service is gone", async () => assert.equal(await service(), false));
    assert.deepEqual(await provider.pruneWorkload(changed, live()), []);
    assert.deepEqual(await provider.drift(changed, live()), []);
  },
  "an undo brings back what its revision had, and prunes what only the failed one has": async (
    harness,
  ) => {
    await withWorkload(harness);
    const { provider } = harness;
    const failed = web({ spec: aSpec({ replicas: 2, env: { KEY: "value" } }), revision: 2 });
    await provider.applyWorkload(failed, live());
    await provider.pruneWorkload(failed, live());
    await harness.advance(A_WHILE_MS);
    const restore = { ...live(), restore: true };
    // An object that is being deleted cannot be applied.
    await eventually("the Service is gone", () => provider.applyWorkload(web(), restore));
    const rollout = provider.awaitRollout(web(), restore);
    await harness.advance(A_WHILE_MS);
    assert.equal((await rollout).revision, 1);
    const pruned = await provider.pruneWorkload(web(), restore);
    assert.deepEqual(pruned.map(({ object }) => object), ["Secret/dev/web.env"]);
    await harness.advance(A_WHILE_MS);
    assert.deepEqual(await provider.drift(web(), live()), []);
  },
  "deleting is idempotent, also for objects that never existed": async (harness) => {
    const { provider } = harness;
    assert.deepEqual(await provider.deleteWorkloads([webRef], live()), []);
    await provider.awaitWorkloadGone(webRef, live());
    assert.deepEqual(await provider.deleteNamespace(ref, live()), []);
    await provider.awaitNamespaceGone(ref, live());
    await withNamespace(harness);
    await provider.applyWorkload(web(), live());
    for (let round = 0; round < 2; round++) {
      await provider.deleteWorkloads([webRef], live());
      await provider.deleteNamespace(ref, live());
    }
    const gone = provider.awaitNamespaceGone(ref, live());
    await harness.advance(A_WHILE_MS);
    await gone;
    assert.deepEqual((await provider.inventory(live())).objects, []);
  },
  "a deleted namespace can be created again": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    await provider.deleteNamespace(ref, live());
    const gone = provider.awaitNamespaceGone(ref, live());
    await harness.advance(A_WHILE_MS);
    await gone;
    await provider.applyNamespace({ ...dev, uid: "uid-second" }, live());
  },
  "the inventory names every object, its owner and its revision": async (harness) => {
    await withNamespace(harness);
    await harness.provider.applyWorkload(web({ revision: 7 }), live());
    const { objects, clusters, unread } = await harness.provider.inventory(live());
    const found = objects.find(({ object }) => object === "Deployment/dev/web");
    assert.ok(found?.version, "its version");
    const { version: _, ...deployment } = found;
    assert.deepEqual(deployment, {
      cluster: clusters[0],
      object: "Deployment/dev/web",
      target: "environments/dev/workloads/web",
      targetUid: "uid-web",
      revision: 7,
    });
    assert.ok(objects.some(({ object }) => object === "Namespace/dev"));
    assert.ok(objects.some(({ object }) => object.startsWith("NetworkPolicy/dev/")));
    assert.deepEqual(unread, []);
  },
};

import assert from "node:assert/strict";
import type { LogQuery, RolloutStatus } from "@mpc/services";
import { aSpec } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import {
  A_WHILE_MS,
  dev,
  live,
  type ProviderCase,
  ref,
  web,
  withNamespace,
  withWorkload,
} from "./provider_case.ts";

/** Every provider reports the rollout, pods, logs and events of a workload. */
export const ROLLOUT_CASES: Readonly<Record<string, ProviderCase>> = {
  "a rollout becomes ready, and reports its progress": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    await provider.applyWorkload(web(), live());
    const seen: RolloutStatus[] = [];
    const rollout = provider.awaitRollout(web(), {
      ...live(),
      onProgress: (status) => seen.push(status),
    });
    await harness.advance(A_WHILE_MS);
    const status = await rollout;
    assert.deepEqual([status.ready, status.desired, status.revision], [2, 2, 1]);
    assert.equal(seen.at(-1)?.message, "2 of 2 replicas ready");
    assert.deepEqual(await provider.rolloutStatus("dev", "web", live()), status);
  },
  "the status of each pod of a workload can be read": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    assert.deepEqual(await provider.pods("dev", "web", live()), []);
    await withWorkload(harness);
    const pods = await provider.pods("dev", "web", live());
    assert.equal(pods.length, 2);
    for (const { name, ready, status, restarts, image } of pods) {
      assert.match(name, /^web-/);
      assert.deepEqual([ready, status, restarts, image], [true, "Running", 0, web().spec.image]);
    }
  },
  "the log lines of replicas have their names, and are in order of time": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    const logsOf = async (workload: string, more: Partial<LogQuery> = {}) => {
      const query = { ...live(), follow: false, tail: null, since: null, replica: null, ...more };
      return await Array.fromAsync(provider.logs("dev", workload, query));
    };
    await rejectsWith(logsOf("web"), "NOT_FOUND", "NOT_ON_CLUSTER");
    await withWorkload(harness);
    const names = (await provider.pods("dev", "web", live())).map(({ name }) => name);
    const lines = await logsOf("web");
    assert.deepEqual([...new Set(lines.map(({ replica }) => replica))].sort(), names);
    assert.deepEqual(lines, lines.toSorted((a, b) => a.time - b.time));
    const last = await logsOf("web", { tail: 1 });
    assert.deepEqual(last.map(({ replica }) => replica).sort(), names, "one line of each");
    const [name = ""] = names;
    const own = await logsOf("web", { replica: name });
    assert.deepEqual(own, lines.filter(({ replica }) => replica === name));
    await rejectsWith(logsOf("web", { replica: "web-none" }), "NOT_FOUND", "NOT_ON_CLUSTER");
  },
  "the events of a workload are about its objects": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    assert.deepEqual(await provider.events("dev", "web", live()), []);
    await withWorkload(harness);
    const events = await provider.events("dev", "web", live());
    assert.ok(events.length > 0);
    for (const { object } of events) assert.match(object, /^[A-Za-z]+\/dev\/web/);
    assert.deepEqual(await provider.events("dev", "other", live()), []);
  },
  "zero replicas are ready": async (harness) => {
    await withNamespace(harness);
    const idle = web({ spec: aSpec({ replicas: 0 }) });
    await harness.provider.applyWorkload(idle, live());
    const rollout = harness.provider.awaitRollout(idle, live());
    await harness.advance(A_WHILE_MS);
    assert.equal((await rollout).desired, 0);
  },
  "a wait ends at once when the caller aborts": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    const stop = new AbortController();
    await provider.applyWorkload(web({ spec: aSpec({ replicas: 5 }) }), live());
    const rollout = provider.awaitRollout(web(), stop);
    const gone = provider.awaitNamespaceGone(ref, stop);
    stop.abort();
    await rejectsWith(rollout, "CANCELLED", "ABORTED_BY_CALLER");
    await rejectsWith(gone, "CANCELLED", "ABORTED_BY_CALLER");
    await rejectsWith(provider.inventory(stop), "CANCELLED", "ABORTED_BY_CALLER");
  },
  "a rollout of a missing workload is NOT_FOUND": async (harness) => {
    await withNamespace(harness);
    const rollout = harness.provider.awaitRollout(web(), live());
    await rejectsWith(rollout, "NOT_FOUND", "NOT_ON_CLUSTER");
    assert.equal(await harness.provider.rolloutStatus("dev", "web", live()), undefined);
  },
  "a quota is enforced": async (harness) => {
    const { provider } = harness;
    const small = { ...dev, quota: { ...dev.quota, cpu: "1" } };
    await provider.applyNamespace(small, live());
    await provider.applyPolicies(small, live());
    const hungry = web({ spec: aSpec({ replicas: 3, resources: { cpu: "500m", memory: null } }) });
    // Some providers reject the workload, others its pods.
    const deploy = async () => {
      await provider.applyWorkload(hungry, live());
      await provider.awaitRollout(hungry, live());
    };
    const refused = rejectsWith(deploy(), "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED");
    await harness.advance(A_WHILE_MS);
    assert.equal((await refused).retryable, false);
  },
};

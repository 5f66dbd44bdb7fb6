import assert from "node:assert/strict";
import type { Residue, WorkloadSpec } from "@mpc/domain";
import type { LogQuery, Provider, RolloutStatus, WorkloadIntent } from "@mpc/services";
import { aSpec } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";

/** What one cluster brings to the contract. */
export interface ProviderHarness {
  readonly provider: Provider;
  /** Lets this much time pass on the cluster. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** What a cluster can show; what it cannot is left out by name. */
export interface ProviderCapabilities {
  /** Image tags that misbehave, as the simulated cluster has them. */
  readonly misbehavingImages: readonly Misbehaviour[];
}

export type Misbehaviour = "missing" | "crash" | "unschedulable" | "stuck" | "flaky" | "sticky";

/** All of them, for clusters that pretend. */
export const EVERY_MISBEHAVIOUR: readonly Misbehaviour[] = [
  "missing",
  "crash",
  "unschedulable",
  "stuck",
  "flaky",
  "sticky",
];

type Case = (harness: ProviderHarness) => Promise<void>;

const live = () => ({ signal: new AbortController().signal });
const quota = { workloads: null, cpu: null, memory: null };
const dev = {
  environment: "dev",
  uid: "uid-dev",
  cluster: "default",
  labels: { team: "web" },
  quota,
};
const ref = { environment: "dev", uid: "uid-dev" };
const webRef = { ...ref, uid: "uid-web", workload: "web" };

function web(overrides: Partial<WorkloadIntent> = {}): WorkloadIntent {
  return {
    environment: "dev",
    workload: "web",
    uid: "uid-web",
    labels: {},
    spec: aSpec({ replicas: 2, ports: [{ name: "http", port: 80, protocol: "TCP" }] }),
    revision: 1,
    restartToken: "",
    ...overrides,
  };
}

/** Time enough for any deletion or rollout that nothing holds up. */
const A_WHILE_MS = 120_000;

async function withNamespace({ provider }: ProviderHarness): Promise<void> {
  await provider.applyNamespace(dev, live());
  await provider.applyPolicies(dev, live());
}

const CASES: Readonly<Record<string, Case>> = {
  "it is reachable, also before there is anything": async ({ provider }) => {
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
  "a changed label is one changed field": async (harness) => {
    await withNamespace(harness);
    const changed = { ...dev, labels: { team: "search" } };
    const [change] = await harness.provider.applyNamespace(changed, live());
    assert.equal(change?.action, "UPDATE");
    assert.match(change?.fields[0]?.before ?? "", /web/);
    assert.match(change?.fields[0]?.after ?? "", /search/);
  },
  "what belongs to another uid is never changed": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    const other = { ...dev, uid: "uid-other" };
    await rejectsWith(provider.applyNamespace(other, live()), "ALREADY_EXISTS", "OWNED_BY_ANOTHER");
    await provider.deleteNamespace({ ...ref, uid: "uid-other" }, live());
    await provider.applyWorkload(web(), live());
    const stranger = provider.applyWorkload(web({ uid: "uid-other" }), live());
    await rejectsWith(stranger, "ALREADY_EXISTS", "OWNED_BY_ANOTHER");
    await provider.deleteWorkload({ ...webRef, uid: "uid-other" }, live());
    await harness.advance(A_WHILE_MS);
    const { objects: inventory } = await provider.inventory(live());
    assert.ok(inventory.some(({ object }) => object === "Deployment/dev/web"));
  },
  "policies and workloads need a namespace": async ({ provider }) => {
    const policies = provider.applyPolicies(dev, live());
    await rejectsWith(policies, "FAILED_PRECONDITION", "NO_NAMESPACE");
    await rejectsWith(provider.applyWorkload(web(), live()), "FAILED_PRECONDITION", "NO_NAMESPACE");
  },
  "a dry run changes nothing, and tells what applying then does": async ({ provider }) => {
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
    const deletion = await provider.deleteWorkload(webRef, dryRun);
    assert.deepEqual(deletion.map(({ action }) => action), ["DELETE", "DELETE"]);
    assert.notEqual(await provider.rolloutStatus("dev", "web", live()), undefined);
  },
  "a secret that changes is a change, but is not shown": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    const withKey = (KEY: string) => web({ spec: aSpec({ env: { KEY } }) });
    await provider.applyWorkload(withKey("hunter2"), live());
    const changes = await provider.applyWorkload(withKey("hunter3"), live());
    assert.ok(changes.length > 0);
    assert.deepEqual(new Set(changes.map(({ action }) => action)), new Set(["UPDATE"]));
    assert.doesNotMatch(JSON.stringify(changes), /hunter/);
  },
  "a rollout becomes ready, and says how far it is": async (harness) => {
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
  "the pods of a workload tell how each is": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    assert.deepEqual(await provider.pods("dev", "web", live()), []);
    await provider.applyWorkload(web(), live());
    const rollout = provider.awaitRollout(web(), live());
    await harness.advance(A_WHILE_MS);
    await rollout;
    const pods = await provider.pods("dev", "web", live());
    assert.equal(pods.length, 2);
    for (const { name, ready, status, restarts, image } of pods) {
      assert.match(name, /^web-/);
      assert.deepEqual([ready, status, restarts, image], [true, "Running", 0, web().spec.image]);
    }
  },
  "what the replicas print is told with their names, in order of time": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    const logsOf = async (workload: string, more: Partial<LogQuery> = {}) => {
      const query = { ...live(), follow: false, tail: null, since: null, replica: null, ...more };
      return await Array.fromAsync(provider.logs("dev", workload, query));
    };
    await rejectsWith(logsOf("web"), "NOT_FOUND", "NOT_ON_CLUSTER");
    await provider.applyWorkload(web(), live());
    const rollout = provider.awaitRollout(web(), live());
    await harness.advance(A_WHILE_MS);
    await rollout;
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
  "what was noticed about a workload is about its objects": async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    assert.deepEqual(await provider.events("dev", "web", live()), []);
    await provider.applyWorkload(web(), live());
    const rollout = provider.awaitRollout(web(), live());
    await harness.advance(A_WHILE_MS);
    await rollout;
    const events = await provider.events("dev", "web", live());
    assert.ok(events.length > 0);
    for (const { object } of events) assert.match(object, /^[A-Za-z]+\/dev\/web/);
    assert.deepEqual(await provider.events("dev", "other", live()), []);
  },
  "drift is what others have changed, and applying puts it back": async (harness) => {
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
  "zero replicas are ready": async (harness) => {
    await withNamespace(harness);
    const idle = web({ spec: aSpec({ replicas: 0 }) });
    await harness.provider.applyWorkload(idle, live());
    const rollout = harness.provider.awaitRollout(idle, live());
    await harness.advance(A_WHILE_MS);
    assert.equal((await rollout).desired, 0);
  },
  "waiting ends at once when the caller aborts": async (harness) => {
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
  "a rollout of what is not there is NOT_FOUND": async (harness) => {
    await withNamespace(harness);
    const rollout = harness.provider.awaitRollout(web(), live());
    await rejectsWith(rollout, "NOT_FOUND", "NOT_ON_CLUSTER");
    assert.equal(await harness.provider.rolloutStatus("dev", "web", live()), undefined);
  },
  "deleting is idempotent, also of what never was": async (harness) => {
    const { provider } = harness;
    assert.deepEqual(await provider.deleteWorkload(webRef, live()), []);
    await provider.awaitWorkloadGone(webRef, live());
    assert.deepEqual(await provider.deleteNamespace(ref, live()), []);
    await provider.awaitNamespaceGone(ref, live());
    await withNamespace(harness);
    await provider.applyWorkload(web(), live());
    for (let round = 0; round < 2; round++) {
      await provider.deleteWorkload(webRef, live());
      await provider.deleteNamespace(ref, live());
    }
    const gone = provider.awaitNamespaceGone(ref, live());
    await harness.advance(A_WHILE_MS);
    await gone;
    assert.deepEqual((await provider.inventory(live())).objects, []);
  },
  "a namespace that is gone can be created anew": async (harness) => {
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
    const deployment = objects.find(({ object }) => object === "Deployment/dev/web");
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
  "a quota holds": async (harness) => {
    const { provider } = harness;
    const small = { ...dev, quota: { ...quota, cpu: "1" } };
    await provider.applyNamespace(small, live());
    await provider.applyPolicies(small, live());
    const hungry = web({ spec: aSpec({ replicas: 3, resources: { cpu: "500m", memory: null } }) });
    // Some clusters refuse the workload, others the pods that it is rolled out to.
    const deploy = async () => {
      await provider.applyWorkload(hungry, live());
      await provider.awaitRollout(hungry, live());
    };
    const refused = rejectsWith(deploy(), "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED");
    await harness.advance(A_WHILE_MS);
    assert.equal((await refused).retryable, false);
  },
};

/** What shows on a cluster that does not go by tags: where it listens, and what it takes. */
const REAL_TROUBLE: Partial<Record<Misbehaviour, Partial<WorkloadSpec>>> = {
  stuck: {
    healthCheck: { path: "/", port: 8080, periodMs: 1_000 },
    progressDeadlineMs: 10_000,
  },
  unschedulable: { resources: { cpu: "1000", memory: null } },
};

/** A rollout that must end at once, with the pod's own reason. */
function failsFast(
  tag: Misbehaviour,
  reason: string,
  podReason: string,
  facts: readonly string[] = ["pod"],
): Case {
  return async (harness) => {
    await withNamespace(harness);
    const image = `localhost/nginx:${tag}`;
    const spec = aSpec({ image, progressDeadlineMs: 60_000, ...REAL_TROUBLE[tag] });
    const intent = web({ spec });
    await harness.provider.applyWorkload(intent, live());
    const rollout = rejectsWith(
      harness.provider.awaitRollout(intent, live()),
      "FAILED_PRECONDITION",
      reason,
    );
    await harness.advance(A_WHILE_MS);
    const error = await rollout;
    assert.match(error.message, new RegExp(podReason));
    assert.equal(error.retryable, false);
    for (const fact of facts) assert.ok(error.metadata[fact], `it says the ${fact}`);
  };
}

const MISBEHAVING: Readonly<Record<Misbehaviour, Case>> = {
  missing: failsFast("missing", "IMAGE_PULL_FAILED", "ErrImagePull"),
  crash: failsFast("crash", "CRASH_LOOP", "CrashLoopBackOff", ["pod", "exitCode", "lastLog"]),
  unschedulable: failsFast("unschedulable", "UNSCHEDULABLE", "Unschedulable"),
  stuck: failsFast("stuck", "PROGRESS_DEADLINE_EXCEEDED", "NotReady"),
  flaky: async (harness) => {
    await withNamespace(harness);
    const intent = web({ spec: aSpec({ image: "x:flaky" }) });
    for (let attempt = 1; attempt <= 2; attempt++) {
      const failed = harness.provider.applyWorkload(intent, live());
      const error = await rejectsWith(failed, "UNAVAILABLE", "CLUSTER_UNREACHABLE");
      assert.equal(error.retryable, true);
    }
    await harness.provider.applyWorkload(intent, live());
  },
  sticky: async (harness) => {
    await withNamespace(harness);
    const { provider } = harness;
    await provider.applyWorkload(web({ spec: aSpec({ image: "x:sticky" }) }), live());
    await provider.deleteNamespace(ref, live());
    const blockers: (readonly Residue[])[] = [];
    const gone = provider.awaitNamespaceGone(ref, {
      ...live(),
      onBlocked: (found) => blockers.push(found),
    });
    await harness.advance(10_000);
    assert.equal(blockers[0]?.[0]?.object, "Deployment/dev/web");
    await harness.advance(A_WHILE_MS);
    await gone;
  },
};

const MISBEHAVING_TITLES: Readonly<Record<Misbehaviour, string>> = {
  missing: "an image that is ':missing' fails fast with the pod's own reason",
  crash: "an image that is ':crash' fails fast with the pod's own reason",
  unschedulable: "an image that is ':unschedulable' fails fast with the pod's own reason",
  stuck: "an image that is ':stuck' fails at its deadline with the pod's own reason",
  flaky: "a flaky apply fails twice, retryable, and then works",
  sticky: "a finalizer holds a deletion, and is named",
};

/** Registers the contract for one cluster; each case gets a fresh harness. */
export function providerContract(
  name: string,
  capabilities: ProviderCapabilities,
  open: () => Promise<ProviderHarness>,
): void {
  const misbehaving = capabilities.misbehavingImages.map((tag) =>
    [MISBEHAVING_TITLES[tag], MISBEHAVING[tag]] as const
  );
  const cases = { ...CASES, ...Object.fromEntries(misbehaving) };
  for (const [title, run] of Object.entries(cases)) {
    Deno.test(`${name}: ${title}`, async () => {
      const harness = await open();
      try {
        await run(harness);
      } finally {
        await harness.close();
      }
    });
  }
}

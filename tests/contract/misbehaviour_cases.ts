import assert from "node:assert/strict";
import type { Residue, WorkloadSpec } from "@mpc/domain";
import { aSpec } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { A_WHILE_MS, live, type ProviderCase, ref, web, withNamespace } from "./provider_case.ts";

/** Image tags that misbehave, as the simulated cluster has them. */
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

/** What shows on a cluster that does not go by tags: where it listens, and what it takes. */
const REAL_TROUBLE: Partial<Record<Misbehaviour, Partial<WorkloadSpec>>> = {
  // Without a check a program counts as ready from its begin to its end, if a kubelet sees it run.
  crash: { healthCheck: { path: "/", port: 8080, periodMs: 1_000 } },
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
): ProviderCase {
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

const CASES: Readonly<Record<Misbehaviour, ProviderCase>> = {
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

const TITLES: Readonly<Record<Misbehaviour, string>> = {
  missing: "an image that is ':missing' fails fast with the pod's own reason",
  crash: "an image that is ':crash' fails fast with the pod's own reason",
  unschedulable: "an image that is ':unschedulable' fails fast with the pod's own reason",
  stuck: "an image that is ':stuck' fails at its deadline with the pod's own reason",
  flaky: "a flaky apply fails twice, retryable, and then works",
  sticky: "a finalizer holds a deletion, and is named",
};

/** What comes of images that misbehave, of those that a cluster can show. */
export const misbehaviourCases = (
  tags: readonly Misbehaviour[],
): Readonly<Record<string, ProviderCase>> =>
  Object.fromEntries(tags.map((tag) => [TITLES[tag], CASES[tag]]));

import assert from "node:assert/strict";
import type { Residue, Responsible, WorkloadSpec } from "@mpc/domain";
import type { RolloutProgress } from "@mpc/services";
import { aSpec } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { A_WHILE_MS, live, type ProviderCase, ref, web, withNamespace } from "./provider_case.ts";

/** Tags of misbehaving images, as on the simulated cluster. */
export type Misbehaviour = "missing" | "crash" | "unschedulable" | "stuck" | "flaky" | "sticky";

/** All tags, for simulated clusters. */
export const EVERY_MISBEHAVIOUR: readonly Misbehaviour[] = [
  "missing",
  "crash",
  "unschedulable",
  "stuck",
  "flaky",
  "sticky",
];

/** Spec fields that show the same misbehaviour on a real cluster, which ignores tags. */
const REAL_TROUBLE: Partial<Record<Misbehaviour, Partial<WorkloadSpec>>> = {
  // Without a health check, a program counts as ready from its start to its exit.
  crash: { healthCheck: { path: "/", port: 8080, periodMs: 1_000 } },
  stuck: {
    healthCheck: { path: "/", port: 8080, periodMs: 1_000 },
    progressDeadlineMs: 10_000,
  },
  unschedulable: { resources: { cpu: "1000", memory: null } },
};

/**
 * A rollout that must fail at once, with the pod's own reason.
 * @param progress what it says while it waits
 */
function failsFast(
  tag: Misbehaviour,
  reason: string,
  podReason: string,
  { facts = ["pod"], progress }: {
    readonly facts?: readonly string[];
    readonly progress?: { readonly message: RegExp; readonly responsible: Responsible };
  } = {},
): ProviderCase {
  return async (harness) => {
    await withNamespace(harness);
    const image = `localhost/nginx:${tag}`;
    const spec = aSpec({ image, progressDeadlineMs: 60_000, ...REAL_TROUBLE[tag] });
    const intent = web({ spec });
    await harness.provider.applyWorkload(intent, live());
    const seen: RolloutProgress[] = [];
    const rollout = rejectsWith(
      harness.provider.awaitRollout(intent, {
        ...live(),
        onProgress: (status) => seen.push(status),
      }),
      "FAILED_PRECONDITION",
      reason,
    );
    await harness.advance(A_WHILE_MS);
    const error = await rollout;
    assert.match(error.message, new RegExp(podReason));
    assert.equal(error.retryable, false);
    for (const fact of facts) assert.ok(error.metadata[fact], `it has the ${fact}`);
    if (!progress) return;
    const explained = seen.find(({ message }) => progress.message.test(message));
    assert.ok(explained, seen.map(({ message }) => message).join(" | "));
    assert.equal(explained.advice?.responsible, progress.responsible);
    assert.match(explained.advice.command, /^mpctl workload events web --env dev$/);
  };
}

const CASES: Readonly<Record<Misbehaviour, ProviderCase>> = {
  missing: failsFast("missing", "IMAGE_PULL_FAILED", "ErrImagePull"),
  crash: failsFast("crash", "CRASH_LOOP", "CrashLoopBackOff", {
    facts: ["pod", "exitCode", "lastLog"],
  }),
  unschedulable: failsFast("unschedulable", "UNSCHEDULABLE", "Unschedulable", {
    progress: { message: /pod 'web-.*': Unschedulable: 0\/\d/, responsible: "cluster" },
  }),
  stuck: failsFast("stuck", "PROGRESS_DEADLINE_EXCEEDED", "NotReady"),
  flaky: async (harness) => {
    await withNamespace(harness);
    const intent = web({ spec: aSpec({ image: "x:flaky" }) });
    for (let attempt = 1; attempt <= 2; attempt++) {
      const failed = harness.provider.applyWorkload(intent, live());
      const error = await rejectsWith(failed, "UNAVAILABLE", "CLUSTER_FAILED");
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
  missing: "an image ':missing' fails fast with the pod's own reason",
  crash: "an image ':crash' fails fast with the pod's own reason",
  unschedulable: "an image ':unschedulable' fails fast, and its progress says what it waits for",
  stuck: "an image ':stuck' fails at its deadline with the pod's own reason",
  flaky: "a flaky apply fails twice, retryable, and then succeeds",
  sticky: "a finalizer that blocks a deletion is named",
};

/** The cases of misbehaving images that a cluster can show. */
export const misbehaviourCases = (
  tags: readonly Misbehaviour[],
): Readonly<Record<string, ProviderCase>> =>
  Object.fromEntries(tags.map((tag) => [TITLES[tag], CASES[tag]]));

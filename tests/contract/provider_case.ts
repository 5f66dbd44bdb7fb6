import { NO_QUOTA } from "@mpc/domain";
import type { Provider, WorkloadIntent } from "@mpc/services";
import { aSpec } from "../fakes/documents.ts";

/** A provider under test, with control over its time. */
export interface ProviderHarness {
  readonly provider: Provider;
  /** Advances the time on the cluster. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

export type ProviderCase = (harness: ProviderHarness) => Promise<void>;

/** Options of a call that is never aborted. */
export const live = () => ({ signal: new AbortController().signal });

/** The environment of all cases, and references to it and its workload. */
export const dev = {
  environment: "dev",
  uid: "uid-dev",
  cluster: "default",
  labels: { team: "web" },
  quota: NO_QUOTA,
};
export const ref = { environment: "dev", uid: "uid-dev" };
export const webRef = { ...ref, uid: "uid-web", workload: "web" };

/** The workload of all cases: two working replicas, unless overridden. */
export function web(overrides: Partial<WorkloadIntent> = {}): WorkloadIntent {
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

/** Enough time for any deletion or rollout that is not blocked. */
export const A_WHILE_MS = 120_000;

/** Creates the environment. */
export async function withNamespace({ provider }: ProviderHarness): Promise<void> {
  await provider.applyNamespace(dev, live());
  await provider.applyPolicies(dev, live());
}

/** Deploys the workload and waits until it is ready. */
export async function withWorkload(harness: ProviderHarness): Promise<void> {
  await withNamespace(harness);
  await harness.provider.applyWorkload(web(), live());
  const rollout = harness.provider.awaitRollout(web(), live());
  await harness.advance(A_WHILE_MS);
  await rollout;
}

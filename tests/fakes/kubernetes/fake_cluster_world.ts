import { MpcError, NO_QUOTA } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import { KubernetesProvider } from "../../../worker/providers/kubernetes/mod.ts";
import { aSpec } from "../documents.ts";
import { FakeClock } from "../fake_clock.ts";
import { FakeCluster } from "./fake_cluster.ts";
import type { Verb } from "./fake_kube_client.ts";

/** Options of a call that is never aborted. */
export const live = () => ({ signal: new AbortController().signal });

/** A workload of the environment that every {@linkcode FakeClusterWorld} begins with. */
export function workload(name: string, replicas = 2): WorkloadIntent {
  return {
    environment: "dev",
    workload: name,
    uid: `uid-${name}`,
    labels: {},
    spec: aSpec({ replicas, progressDeadlineMs: 600_000 }),
    revision: 1,
    restartToken: "",
  };
}

/** A provider on a fake cluster, in fake time. */
export class FakeClusterWorld {
  readonly clock = new FakeClock();
  readonly cluster = new FakeCluster(this.clock);
  readonly provider = new KubernetesProvider({
    client: this.cluster.client,
    clock: this.clock,
    installation: "test",
    charts: null,
  });
  /** The progress that rollouts have reported. */
  readonly told: string[] = [];

  /** Requests so far. */
  count(verb: Verb): number {
    return this.cluster.client.requests.get(verb) ?? 0;
  }

  async deploy(intent: WorkloadIntent): Promise<void> {
    await this.provider.applyWorkload(intent, live());
  }

  rollout(intent: WorkloadIntent) {
    return this.provider.awaitRollout(intent, {
      ...live(),
      onProgress: ({ message }) => this.told.push(message),
    });
  }

  /** Makes every call fail, like a server that does not answer. */
  stopServer(): void {
    this.cluster.client.fault = () =>
      new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "connection refused" });
    this.cluster.client.server.endWatches();
  }

  startServer(): void {
    this.cluster.client.fault = () => undefined;
  }
}

/** Tests with a fake cluster that has the environment `dev`. */
export function worldTest(name: string, use: (world: FakeClusterWorld) => Promise<void>): void {
  Deno.test(name, async () => {
    const world = new FakeClusterWorld();
    try {
      const dev = {
        environment: "dev",
        uid: "uid-dev",
        cluster: "default",
        labels: {},
        quota: NO_QUOTA,
      };
      await world.provider.applyNamespace(dev, live());
      await use(world);
    } finally {
      await world.provider.close();
      await world.cluster.close();
    }
  });
}

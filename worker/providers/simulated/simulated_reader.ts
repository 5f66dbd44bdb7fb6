import { DEFAULT_CLUSTER } from "@mpc/domain";
import type {
  ClusterEvent,
  ClusterReader,
  Difference,
  Inventory,
  LogLine,
  LogQuery,
  NamespaceIntent,
  PodStatus,
  ProviderCall,
  Ref,
  RolloutStatus,
  WorkloadIntent,
} from "@mpc/services";
import type { ClusterMark } from "../cluster_mark.ts";
import { notOnCluster, throwIfAborted } from "../provider_errors.ts";
import { workloadKey } from "./simulated_objects.ts";
import { linesBetween, nextLineTime, replicasOf } from "./logs.ts";
import { eventsAt, podsAt } from "./pods.ts";
import {
  clusterObjects,
  diff,
  existingObjects,
  isKept,
  NOTHING,
  renderNamespace,
  renderPolicies,
  renderWorkload,
} from "./render.ts";
import { rolloutAt } from "./rollout.ts";
import { SimulatedCluster, type SimulatedClusterOptions } from "./simulated_cluster.ts";

/** The calls that only read the simulated cluster. */
export class SimulatedReader implements ClusterReader {
  protected readonly cluster: SimulatedCluster;

  /** @throws {MpcError} FAILED_PRECONDITION `SIMULATION_UNREADABLE` */
  constructor(options: SimulatedClusterOptions) {
    this.cluster = new SimulatedCluster(options);
  }

  /** The mark by which a store claims this cluster. */
  get mark(): ClusterMark {
    return this.cluster.mark;
  }

  async assertReachable(call: ProviderCall): Promise<void> {
    await this.begin(call);
    this.cluster.assertReachable();
  }

  async inventory(call: ProviderCall): Promise<Inventory> {
    await this.begin(call);
    const objects = this.cluster.all().flatMap(clusterObjects);
    // The simulated cluster belongs to one store.
    return { objects, foreign: [], clusters: [DEFAULT_CLUSTER], unread: [] };
  }

  /** Nobody else can make objects on the simulated cluster. */
  async unmanagedObjects(_intent: Ref, call: ProviderCall): Promise<readonly string[]> {
    await this.begin(call);
    return [];
  }

  async rolloutStatus(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<RolloutStatus | undefined> {
    await this.begin(call);
    const found = this.cluster.workload(workloadKey(environment, workload));
    return found && rolloutAt(found, this.cluster.delays, this.cluster.now()).status;
  }

  async *logs(
    environment: string,
    workload: string,
    query: LogQuery,
  ): AsyncGenerator<LogLine> {
    await this.begin(query);
    let after = query.since === null ? -Infinity : query.since - 1;
    let { tail } = query;
    for (let first = true;; first = false) {
      const changed = this.cluster.changed;
      const found = this.cluster.workload(workloadKey(environment, workload));
      const replicas = found ? replicasOf(found) : [];
      // A workload that is deleted while it is followed ends the log without an error.
      if (first && !found) throw notOnCluster(workload);
      if (first && query.replica !== null && !replicas.includes(query.replica)) {
        throw notOnCluster(query.replica);
      }
      if (!found) return;
      const now = this.cluster.now();
      yield* linesBetween(found, this.cluster.delays, { ...query, tail }, after, now);
      if (!query.follow) return;
      after = now;
      tail = null;
      try {
        await this.cluster.sleepUntil(
          nextLineTime(found, this.cluster.delays, now),
          query.signal,
          changed,
        );
      } catch (error) {
        if (query.signal.aborted) return;
        throw error;
      }
    }
  }

  async pods(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<readonly PodStatus[]> {
    await this.begin(call);
    const found = this.cluster.workload(workloadKey(environment, workload));
    return found ? podsAt(found, this.cluster.delays, this.cluster.now()) : [];
  }

  async events(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<readonly ClusterEvent[]> {
    await this.begin(call);
    const found = this.cluster.workload(workloadKey(environment, workload));
    return found ? eventsAt(found, this.cluster.delays, this.cluster.now()) : [];
  }

  async drift(intent: WorkloadIntent, call: ProviderCall): Promise<readonly Difference[]> {
    await this.begin(call);
    const current = this.cluster.workload(workloadKey(intent.environment, intent.workload));
    const before = current?.intent.uid === intent.uid ? existingObjects(current) : NOTHING;
    return diff(before, renderWorkload(intent)).filter(({ action, object }) =>
      action !== "DELETE" || !isKept(object)
    );
  }

  async environmentDrift(
    intent: NamespaceIntent,
    call: ProviderCall,
  ): Promise<readonly Difference[]> {
    await this.begin(call);
    const found = this.cluster.namespace(intent.environment);
    const current = found?.intent.uid === intent.uid ? found : undefined;
    return [
      ...diff(current ? renderNamespace(current.intent) : NOTHING, renderNamespace(intent)),
      ...diff(
        current?.policies ? renderPolicies(current.policies) : NOTHING,
        renderPolicies(intent),
      ),
    ];
  }

  close(): Promise<void> {
    this.cluster.close();
    return Promise.resolve();
  }

  /** Makes every call asynchronous, like calls to a real cluster. */
  protected async begin({ signal }: ProviderCall): Promise<void> {
    throwIfAborted(signal);
    await Promise.resolve();
    throwIfAborted(signal);
  }
}

import type { PlannedChange, Residue } from "@mpc/domain";
import type {
  ApplyCall,
  ClusterEvent,
  ClusterObject,
  LogLine,
  LogQuery,
  NamespaceIntent,
  PodStatus,
  Provider,
  ProviderCall,
  Ref,
  RolloutStatus,
  WorkloadIntent,
  WorkloadRef,
} from "@mpc/services";
import { clusterGone, noSuchCluster, notOnCluster } from "../provider_errors.ts";

export interface ClusterRegistryOptions {
  /** Clusters by name, each with limits, a breaker and watches of its own. */
  readonly clusters: ReadonlyMap<string, Provider>;
  /** Which of them carries something; undefined where there is no record of it. */
  readonly find: (
    ref: Pick<Ref, "environment"> & Partial<WorkloadRef>,
  ) => Promise<string | undefined>;
}

type Watching = ProviderCall & { onBlocked?: (blockers: readonly Residue[]) => void };

/**
 * Several clusters as one provider: an environment says which one carries it. What is left of
 * something without a record is looked for on all.
 */
export class ClusterRegistry implements Provider {
  readonly name = "kubernetes";
  readonly #clusters: ReadonlyMap<string, Provider>;
  readonly #find: ClusterRegistryOptions["find"];

  constructor({ clusters, find }: ClusterRegistryOptions) {
    this.#clusters = clusters;
    this.#find = find;
  }

  /** One that is away keeps nobody from the others: this fails where none can be reached. */
  async assertReachable(call: ProviderCall): Promise<void> {
    const answers = [...this.#clusters.values()].map((cluster) => cluster.assertReachable(call));
    try {
      await Promise.any(answers);
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error;
    }
  }

  async applyNamespace(
    intent: NamespaceIntent,
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    return await this.#named(intent.cluster, intent.environment).applyNamespace(intent, call);
  }

  async applyPolicies(
    intent: NamespaceIntent,
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    return await this.#named(intent.cluster, intent.environment).applyPolicies(intent, call);
  }

  deletePolicies(ref: Ref, call: ApplyCall): Promise<readonly PlannedChange[]> {
    return this.#everywhere(ref, (cluster) => cluster.deletePolicies(ref, call));
  }

  deleteNamespace(ref: Ref, call: ApplyCall): Promise<readonly PlannedChange[]> {
    return this.#everywhere(ref, (cluster) => cluster.deleteNamespace(ref, call));
  }

  async awaitNamespaceGone(ref: Ref, call: Watching): Promise<void> {
    await this.#everywhere(ref, async (cluster) => {
      await cluster.awaitNamespaceGone(ref, call);
      return [];
    });
  }

  async applyWorkload(intent: WorkloadIntent, call: ApplyCall): Promise<readonly PlannedChange[]> {
    return await (await this.#of(intent.environment)).applyWorkload(intent, call);
  }

  async awaitRollout(
    intent: WorkloadIntent,
    call: ProviderCall & { onProgress?: (status: RolloutStatus) => void },
  ): Promise<RolloutStatus> {
    return await (await this.#of(intent.environment)).awaitRollout(intent, call);
  }

  async drift(intent: WorkloadIntent, call: ProviderCall): Promise<readonly PlannedChange[]> {
    return await (await this.#of(intent.environment)).drift(intent, call);
  }

  deleteWorkload(ref: WorkloadRef, call: ApplyCall): Promise<readonly PlannedChange[]> {
    return this.#everywhere(ref, (cluster) => cluster.deleteWorkload(ref, call));
  }

  async awaitWorkloadGone(ref: WorkloadRef, call: Watching): Promise<void> {
    await this.#everywhere(ref, async (cluster) => {
      await cluster.awaitWorkloadGone(ref, call);
      return [];
    });
  }

  async inventory(call: ProviderCall): Promise<readonly ClusterObject[]> {
    const lists = await Promise.all(
      [...this.#clusters.values()].map((cluster) => cluster.inventory(call)),
    );
    return lists.flat();
  }

  async rolloutStatus(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<RolloutStatus | undefined> {
    return await (await this.#found({ environment }))?.rolloutStatus(environment, workload, call);
  }

  async *logs(environment: string, workload: string, query: LogQuery): AsyncGenerator<LogLine> {
    const cluster = await this.#found({ environment });
    if (!cluster) throw notOnCluster(workload);
    yield* cluster.logs(environment, workload, query);
  }

  async pods(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<readonly PodStatus[]> {
    return await (await this.#found({ environment }))?.pods(environment, workload, call) ?? [];
  }

  async events(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<readonly ClusterEvent[]> {
    return await (await this.#found({ environment }))?.events(environment, workload, call) ?? [];
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.close()));
  }

  /** @throws {MpcError} FAILED_PRECONDITION `UNKNOWN_CLUSTER`, with what `missing` says */
  #named(cluster: string, environment: string, missing = noSuchCluster): Provider {
    const found = this.#clusters.get(cluster);
    if (!found) throw missing(environment, cluster, [...this.#clusters.keys()]);
    return found;
  }

  async #found(
    ref: Parameters<ClusterRegistryOptions["find"]>[0],
  ): Promise<Provider | undefined> {
    const name = await this.#find(ref);
    return name === undefined ? undefined : this.#named(name, ref.environment, clusterGone);
  }

  /** Who has no record has no namespace either: any cluster says so as it should be said. */
  async #of(environment: string): Promise<Provider> {
    const [first] = this.#clusters.values();
    return await this.#found({ environment }) ?? first!;
  }

  async #everywhere(
    ref: Ref | WorkloadRef,
    act: (cluster: Provider) => Promise<readonly PlannedChange[]>,
  ): Promise<readonly PlannedChange[]> {
    const found = await this.#found(ref);
    if (found) return await act(found);
    return (await Promise.all([...this.#clusters.values()].map(act))).flat();
  }
}

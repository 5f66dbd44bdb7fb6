import { MpcError, type PlannedChange, type Residue } from "@mpc/domain";
import {
  type ApplyCall,
  type Claims,
  type Clock,
  type ClusterEvent,
  type Difference,
  type Inventory,
  isUnreadable,
  type LogLine,
  type LogQuery,
  type NamespaceIntent,
  type PodStatus,
  type Provider,
  type ProviderCall,
  type Ref,
  type ReviewedToken,
  type RolloutCall,
  type RolloutStatus,
  type TokenReview,
  type WorkloadIntent,
  type WorkloadRef,
  type WorkloadWait,
} from "@mpc/services";
import { clusterGone, noSuchCluster, notOnCluster, reviewsNowhere } from "../provider_errors.ts";
import { withTimeout } from "./client/with_timeout.ts";

export interface ClusterRegistryOptions {
  /** Clusters by name. Each has its own request limits, circuit breaker and watches. */
  readonly clusters: ReadonlyMap<string, Provider>;
  /** The cluster of an environment or a workload; undefined without a record of it. */
  readonly findCluster: (
    ref: Pick<Ref, "environment"> & Partial<WorkloadRef>,
  ) => Promise<string | undefined>;
  readonly clock: Clock;
  /** The claims to these clusters; absent where nothing else can claim them. */
  readonly claims?: Claims;
}

/** A cluster that takes longer counts as unreachable, because the inventory waits for all clusters. */
const INVENTORY_MS = 8_000;

type Watching = ProviderCall & { onBlocked?: (blockers: readonly Residue[]) => void };

/**
 * Several clusters as one provider. The record of an environment names its cluster. Leftovers without
 * a record may be on any cluster, so calls about them go to all clusters.
 */
export class ClusterRegistry implements Provider {
  readonly name = "kubernetes";
  readonly #clusters: ReadonlyMap<string, Provider>;
  readonly #findCluster: ClusterRegistryOptions["findCluster"];
  readonly #clock: Clock;
  readonly claims?: Claims;

  constructor({ clusters, findCluster, clock, claims }: ClusterRegistryOptions) {
    if (claims) this.claims = claims;
    this.#clusters = clusters;
    this.#findCluster = findCluster;
    this.#clock = clock;
  }

  /** Fails only if no cluster can be reached: an unreachable cluster does not block the others. */
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

  async awaitRollout(intent: WorkloadIntent, call: RolloutCall): Promise<RolloutStatus> {
    return await (await this.#of(intent.environment)).awaitRollout(intent, call);
  }

  async pruneWorkload(intent: WorkloadIntent, call: ApplyCall): Promise<readonly PlannedChange[]> {
    return await (await this.#of(intent.environment)).pruneWorkload(intent, call);
  }

  async drift(intent: WorkloadIntent, call: ProviderCall): Promise<readonly Difference[]> {
    return await (await this.#of(intent.environment)).drift(intent, call);
  }

  async environmentDrift(
    intent: NamespaceIntent,
    call: ProviderCall,
  ): Promise<readonly Difference[]> {
    return await this.#named(intent.cluster, intent.environment, clusterGone)
      .environmentDrift(intent, call);
  }

  async deleteWorkloads(
    refs: readonly WorkloadRef[],
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    const byCluster = new Map<Provider, WorkloadRef[]>();
    for (const ref of refs) {
      for (const cluster of await this.#clustersOf(ref)) {
        byCluster.set(cluster, [...byCluster.get(cluster) ?? [], ref]);
      }
    }
    return await allSettled(
      [...byCluster].map(([cluster, refs]) => cluster.deleteWorkloads(refs, call)),
    );
  }

  async awaitWorkloadGone(ref: WorkloadRef, call: WorkloadWait): Promise<void> {
    await this.#everywhere(ref, async (cluster) => {
      await cluster.awaitWorkloadGone(ref, call);
      return [];
    });
  }

  async inventory(call: ProviderCall): Promise<Inventory> {
    const read = await Promise.all(
      [...this.#clusters].map(([name, cluster]) => this.#inventoryOf(name, cluster, call)),
    );
    return {
      objects: read.flatMap(({ objects }) => objects),
      foreign: read.flatMap(({ foreign }) => foreign),
      clusters: read.flatMap(({ clusters }) => clusters),
      unread: read.flatMap(({ unread }) => unread),
    };
  }

  /** The objects of one cluster, or the error that makes it unreadable. */
  async #inventoryOf(
    cluster: string,
    provider: Provider,
    { signal: caller }: ProviderCall,
  ): Promise<Inventory> {
    const stop = new AbortController();
    const signal = AbortSignal.any([caller, stop.signal]);
    const late = () => noInventory(cluster);
    try {
      const read = provider.inventory({ signal });
      return await withTimeout(read, {
        ms: INVENTORY_MS,
        clock: this.#clock,
        signal: caller,
        late,
      });
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return { objects: [], foreign: [], clusters: [cluster], unread: [{ cluster, error }] };
    } finally {
      stop.abort("the inventory is over");
    }
  }

  async unmanagedObjects(ref: Ref, call: ProviderCall): Promise<readonly string[]> {
    const clusters = await this.#clustersOf(ref);
    return (await Promise.all(clusters.map((it) => it.unmanagedObjects(ref, call)))).flat();
  }

  async rolloutStatus(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<RolloutStatus | undefined> {
    return await (await this.#recorded({ environment }))?.rolloutStatus(
      environment,
      workload,
      call,
    );
  }

  async *logs(environment: string, workload: string, query: LogQuery): AsyncGenerator<LogLine> {
    const cluster = await this.#recorded({ environment });
    if (!cluster) throw notOnCluster(workload);
    yield* cluster.logs(environment, workload, query);
  }

  async pods(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<readonly PodStatus[]> {
    return await (await this.#recorded({ environment }))?.pods(environment, workload, call) ?? [];
  }

  async events(
    environment: string,
    workload: string,
    call: ProviderCall,
  ): Promise<readonly ClusterEvent[]> {
    return await (await this.#recorded({ environment }))?.events(environment, workload, call) ?? [];
  }

  async reviewToken(review: TokenReview, call: ProviderCall): Promise<ReviewedToken> {
    const cluster = this.#clusters.get(review.cluster);
    if (!cluster) throw reviewsNowhere(review.cluster, [...this.#clusters.keys()]);
    return await cluster.reviewToken(review, call);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.close()));
  }

  /** @throws {MpcError} FAILED_PRECONDITION `UNKNOWN_CLUSTER`, made by `missing` */
  #named(cluster: string, environment: string, missing = noSuchCluster): Provider {
    const found = this.#clusters.get(cluster);
    if (!found) throw missing(environment, cluster, [...this.#clusters.keys()]);
    return found;
  }

  async #recorded(
    ref: Parameters<ClusterRegistryOptions["findCluster"]>[0],
  ): Promise<Provider | undefined> {
    const name = await this.#findCluster(ref);
    return name === undefined ? undefined : this.#named(name, ref.environment, clusterGone);
  }

  /** Without a record there is no namespace either, and any cluster reports that correctly. */
  async #of(environment: string): Promise<Provider> {
    const [first] = this.#clusters.values();
    return await this.#recorded({ environment }) ?? first!;
  }

  async #everywhere(
    ref: Ref | WorkloadRef,
    act: (cluster: Provider) => Promise<readonly PlannedChange[]>,
  ): Promise<readonly PlannedChange[]> {
    return await allSettled((await this.#clustersOf(ref)).map(act));
  }

  /** The cluster with the objects of a reference; all clusters if it is unknown. */
  async #clustersOf(ref: Ref | WorkloadRef): Promise<readonly Provider[]> {
    const found = ref.cluster === undefined
      ? await this.#recorded(ref)
      : this.#named(ref.cluster, ref.environment, clusterGone);
    return found ? [found] : [...this.#clusters.values()];
  }
}

/** Reachable clusters have finished by the time the call fails for the unreachable ones. */
async function allSettled(
  calls: readonly Promise<readonly PlannedChange[]>[],
): Promise<readonly PlannedChange[]> {
  return (await Promise.allSettled(calls)).flatMap((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}

const noInventory = (cluster: string): MpcError =>
  new MpcError("UNAVAILABLE", {
    reason: "CLUSTER_UNREACHABLE",
    message: `Cannot list what cluster '${cluster}' has: no answer within ${INVENTORY_MS} ms`,
    metadata: { cluster },
  });

import { DEFAULT_CLUSTER, isMpcError, type PlannedChange, type Residue } from "@mpc/domain";
import type {
  ApplyCall,
  NamespaceIntent,
  Provider,
  ProviderCall,
  Ref,
  ReviewedToken,
  RolloutCall,
  RolloutStatus,
  TokenReview,
  WorkloadIntent,
  WorkloadRef,
} from "@mpc/services";
import {
  beingDeleted,
  noNamespace,
  ownedByAnother,
  reviewsNowhere,
  withMade,
} from "../provider_errors.ts";
import { awaitDeletion } from "./await_deletion.ts";
import { awaitRollout } from "./await_rollout.ts";
import {
  namespaceKey,
  type SimulatedNamespace,
  type SimulatedObject,
  workloadKey,
} from "./simulated_objects.ts";
import { behaviourOf } from "./image_behaviour.ts";
import { assertQuota } from "./quota.ts";
import {
  diff,
  existingObjects,
  isKept,
  NOTHING,
  renderNamespace,
  renderPolicies,
  renderWorkload,
} from "./render.ts";
import { beginRollout } from "./rollout.ts";
import { chartsUnsupported, flaky, unknownCluster } from "./simulated_errors.ts";
import { SimulatedReader } from "./simulated_reader.ts";

/** How many applies of a `:flaky` image fail before one succeeds. */
const FLAKY_FAILURES = 2;

/**
 * A simulated cluster: rollouts and deletions take time, quotas are enforced, and images misbehave
 * by their tags. The effects of time are computed from start times, so a restart changes nothing.
 */
export class SimulatedProvider extends SimulatedReader implements Provider {
  readonly name = "simulated";

  async applyNamespace(
    intent: NamespaceIntent,
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    return await this.#change(call, () => {
      if (intent.cluster !== DEFAULT_CLUSTER) {
        throw unknownCluster(intent.environment, intent.cluster);
      }
      const current = this.cluster.namespace(intent.environment);
      if (current && current.intent.uid !== intent.uid) {
        throw ownedByAnother(`Namespace/${intent.environment}`);
      }
      if (current?.deleteTime != null) throw beingDeleted(`Namespace/${intent.environment}`);
      const before = current ? renderNamespace(current.intent) : NOTHING;
      const changes = diff(before, renderNamespace(intent));
      this.#put(call, changes, namespaceKey(intent.environment), {
        kind: "namespace",
        policies: null,
        deleteTime: null,
        ...current,
        intent: { ...intent },
      });
      return changes;
    });
  }

  async applyPolicies(
    intent: NamespaceIntent,
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    return await this.#change(call, () => {
      const current = this.cluster.namespace(intent.environment);
      if (!call.dryRun) this.#assertUsable(current, intent);
      const before = current?.policies ? renderPolicies(current.policies) : NOTHING;
      const changes = diff(before, renderPolicies(intent));
      if (current) {
        const policies = { ...intent };
        this.#put(call, changes, namespaceKey(intent.environment), { ...current, policies });
      }
      return changes;
    });
  }

  async deletePolicies(ref: Ref, call: ApplyCall): Promise<readonly PlannedChange[]> {
    return await this.#change(call, () => {
      const current = this.cluster.namespace(ref.environment);
      if (!current?.policies || current.intent.uid !== ref.uid) return [];
      const changes = diff(renderPolicies(current.policies), NOTHING);
      this.#put(call, changes, namespaceKey(ref.environment), { ...current, policies: null });
      return changes;
    });
  }

  async deleteNamespace(ref: Ref, call: ApplyCall): Promise<readonly PlannedChange[]> {
    if (!call.dryRun) await call.beforeDelete?.();
    return await this.#change(call, () => {
      const current = this.cluster.namespace(ref.environment);
      if (!current || current.intent.uid !== ref.uid) return [];
      const changes = diff(
        new Map([
          ...renderNamespace(current.intent),
          ...(current.policies ? renderPolicies(current.policies) : []),
        ]),
        NOTHING,
      );
      if (current.deleteTime !== null || call.dryRun) return changes;
      const deleteTime = this.cluster.now();
      for (const [key, workload] of this.cluster.workloadsOf(ref.environment)) {
        if (workload.deleteTime === null) this.cluster.put(key, { ...workload, deleteTime });
      }
      this.#put(call, changes, namespaceKey(ref.environment), { ...current, deleteTime });
      return changes;
    });
  }

  async awaitNamespaceGone(
    ref: Ref,
    call: ProviderCall & { onBlocked?: (blockers: readonly Residue[]) => void },
  ): Promise<void> {
    await this.begin(call);
    await awaitDeletion(this.cluster, call, () => {
      const namespace = this.cluster.namespace(ref.environment);
      if (!namespace || namespace.intent.uid !== ref.uid) return undefined;
      const inside = this.cluster.workloadsOf(ref.environment).map(([, workload]) => workload);
      return [namespace, ...inside];
    });
  }

  async applyWorkload(
    intent: WorkloadIntent,
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    return await this.#change(call, () => {
      if (intent.spec.chart) throw chartsUnsupported(intent.workload);
      const path = `${intent.environment}/${intent.workload}`;
      const key = workloadKey(intent.environment, intent.workload);
      if (!call.dryRun) {
        this.#assertUsable(this.cluster.namespace(intent.environment), null, intent.environment);
        this.#fail(intent);
      }
      const current = this.cluster.workload(key);
      if (current && current.intent.uid !== intent.uid) throw ownedByAnother(`Deployment/${path}`);
      if (current?.deleteTime != null) throw beingDeleted(`Deployment/${path}`);
      this.#assertQuota(intent);
      const before = current ? existingObjects(current) : NOTHING;
      const all = diff(before, renderWorkload(intent));
      const earlier = current?.replaced ?? [];
      const changes = all.filter(({ action, object }) =>
        action !== "DELETE" && !earlier.includes(object)
      );
      const replaced = all.filter(({ action }) => action === "DELETE").map(({ object }) => object);
      const unchanged = changes.length === 0 && replaced.length === earlier.length &&
        current?.intent.revision === intent.revision;
      const { delays } = this.cluster;
      const rollout = beginRollout(current, intent, delays, this.cluster.now());
      this.#put(call, unchanged ? [] : [{}], key, { ...rollout, replaced });
      return changes;
    });
  }

  async pruneWorkload(
    intent: WorkloadIntent,
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    return await this.#change(call, () => {
      const key = workloadKey(intent.environment, intent.workload);
      const current = this.cluster.workload(key);
      if (!current || current.intent.uid !== intent.uid) return [];
      const surplus = diff(existingObjects(current), renderWorkload(intent))
        .filter(({ action }) => action === "DELETE");
      const changes = surplus.filter(({ object }) => !isKept(object));
      const replaced = surplus.map(({ object }) => object).filter(isKept);
      this.#put(call, changes, key, { ...current, replaced });
      return changes;
    });
  }

  async awaitRollout(intent: WorkloadIntent, call: RolloutCall): Promise<RolloutStatus> {
    await this.begin(call);
    return await awaitRollout(this.cluster, intent, call);
  }

  async deleteWorkloads(
    refs: readonly WorkloadRef[],
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    if (!call.dryRun) await call.beforeDelete?.();
    const changes = await Promise.all(refs.map((ref) => this.#deleteWorkload(ref, call)));
    return changes.flat();
  }

  #deleteWorkload(ref: WorkloadRef, call: ApplyCall): Promise<readonly PlannedChange[]> {
    return this.#change(call, () => {
      const key = workloadKey(ref.environment, ref.workload);
      const current = this.cluster.workload(key);
      if (!current || current.intent.uid !== ref.uid) return [];
      const changes = diff(existingObjects(current), NOTHING);
      if (current.deleteTime !== null) return changes;
      this.#put(call, changes, key, { ...current, deleteTime: this.cluster.now() });
      return changes;
    });
  }

  async awaitWorkloadGone(
    ref: WorkloadRef,
    call: ProviderCall & { onBlocked?: (blockers: readonly Residue[]) => void },
  ): Promise<void> {
    await this.begin(call);
    await awaitDeletion(this.cluster, call, () => {
      const workload = this.cluster.workload(workloadKey(ref.environment, ref.workload));
      return workload?.intent.uid === ref.uid ? [workload] : undefined;
    });
  }

  reviewToken({ cluster }: TokenReview): Promise<ReviewedToken> {
    return Promise.reject(reviewsNowhere(cluster, []));
  }

  /** Reads and changes the cluster atomically, also across processes. */
  async #change<R>(call: ApplyCall, body: () => R): Promise<R> {
    await this.begin(call);
    return call.dryRun ? body() : this.cluster.atomically(() => refusing(body));
  }

  #put(
    { dryRun = false }: ApplyCall,
    changes: readonly unknown[],
    key: string,
    object: SimulatedObject,
  ): void {
    if (dryRun || changes.length === 0) return;
    this.cluster.put(key, object);
  }

  #assertUsable(
    namespace: SimulatedNamespace | undefined,
    intent: NamespaceIntent | null,
    environment = intent?.environment ?? "",
  ): void {
    if (!namespace || namespace.deleteTime !== null) throw noNamespace(environment);
    if (intent && namespace.intent.uid !== intent.uid) {
      throw ownedByAnother(`Namespace/${environment}`);
    }
  }

  #assertQuota(intent: WorkloadIntent): void {
    const { environment } = intent;
    const quota = this.cluster.namespace(environment)?.policies?.quota;
    if (!quota) return;
    const before = this.cluster.workloadsOf(environment)
      .filter(([, { deleteTime }]) => deleteTime === null)
      .map(([, workload]) => workload.intent);
    const others = before.filter(({ workload }) => workload !== intent.workload);
    assertQuota(environment, quota, before, [...others, intent]);
  }

  #fail(intent: WorkloadIntent): void {
    if (behaviourOf(intent.spec) !== "flaky") return;
    const key = workloadKey(intent.environment, intent.workload);
    const attempt = this.cluster.countAttempt(key, `${intent.uid}/${intent.revision}`);
    if (attempt <= FLAKY_FAILURES) throw flaky(intent.workload, attempt);
  }
}

/** Runs a change that fails before it has changed anything, and says so. */
function refusing<R>(body: () => R): R {
  try {
    return body();
  } catch (error) {
    throw isMpcError(error) ? withMade(error, []) : error;
  }
}

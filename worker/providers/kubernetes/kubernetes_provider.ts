import { type PlannedChange, type Residue } from "@mpc/domain";
import type {
  ApplyCall,
  Clock,
  ClusterEvent,
  DeleteCall,
  Difference,
  Inventory,
  LogLine,
  LogQuery,
  NamespaceIntent,
  PodStatus,
  Provider,
  ProviderCall,
  Ref,
  ReviewedToken,
  RolloutCall,
  RolloutStatus,
  TokenReview,
  WorkloadIntent,
  WorkloadRef,
  WorkloadWait,
} from "@mpc/services";
import { throwIfAborted } from "../provider_errors.ts";
import { EnvironmentAccess } from "./access/environment_access.ts";
import { reviewToken } from "./access/review_token.ts";
import { listEverywhere } from "./access/list_everywhere.ts";
import { CLAIMS, renderNamespace, renderPolicies, renderWorkload } from "./render/mod.ts";
import { deleteObjects, listKinds } from "./client/bulk_requests.ts";
import { NAMESPACE } from "./client/kinds.ts";
import type { KubeClient } from "./client/kube_client.ts";
import type { LiveObject, ObjectKind } from "./client/kube_object.ts";
import { SharedLists } from "./client/shared_lists.ts";
import { awaitNamespaceGone } from "./deletion/await_namespace_gone.ts";
import { awaitWorkloadGone } from "./deletion/await_workload_gone.ts";
import { type ChartIntent, type HelmCharts, isChartIntent, noCharts } from "./helm/mod.ts";
import {
  ALL_KINDS,
  KEPT_KINDS,
  POD_OWNING_KINDS,
  POLICY_KINDS,
  WORKLOAD_KINDS,
} from "./managed_kinds.ts";
import { applyObjects, creationOf } from "./objects/apply.ts";
import { removesItself } from "./objects/completed_jobs.ts";
import type { Desired } from "./objects/desired.ts";
import { deletionOf } from "./objects/diff.ts";
import { driftOf } from "./objects/drift.ts";
import {
  byInstallation,
  isForeign,
  ownedBy,
  ownerOf,
  toClusterObject,
} from "./objects/ownership.ts";
import { pruneObjects } from "./objects/prune.ts";
import { unmanagedObjects } from "./reads/unmanaged_objects.ts";
import { tellChanges } from "./objects/tell_changes.ts";
import { fitQuota } from "./quota/fit_quota.ts";
import { workloadEvents } from "./reads/workload_events.ts";
import { workloadLogs } from "./reads/workload_logs.ts";
import { workloadPods } from "./reads/workload_pods.ts";
import { workloadStatus } from "./reads/workload_status.ts";
import { awaitRollout } from "./rollout/await_rollout.ts";
import { ClusterWatch } from "./watch/cluster_watch.ts";

export interface KubernetesProviderOptions {
  readonly client: KubeClient;
  /** Reviews tokens of callers within limits of its own; `client` by default. */
  readonly reviews?: KubeClient;
  readonly clock: Clock;
  /** The id of this control plane; objects of others are never changed. */
  readonly installation: string;
  /** Renders charts; null if charts are rejected. */
  readonly charts: HelmCharts | null;
}

/** One Kubernetes cluster. An environment is a namespace; a workload is a set of objects in it. */
export class KubernetesProvider implements Provider {
  readonly name = "kubernetes";
  readonly #client: KubeClient;
  readonly #reviews: KubeClient;
  readonly #clock: Clock;
  readonly #installation: string;
  readonly #charts: HelmCharts | null;
  readonly #watch: ClusterWatch;
  readonly #lists: SharedLists;
  readonly #access: EnvironmentAccess;
  /** The objects of requested deletions, so that waiting for these need not list them again. */
  readonly #deleted = new WeakMap<PlannedChange, LiveObject>();

  constructor(
    { client, reviews = client, clock, installation, charts }: KubernetesProviderOptions,
  ) {
    this.#client = client;
    this.#reviews = reviews;
    this.#clock = clock;
    this.#installation = installation;
    this.#charts = charts;
    this.#watch = new ClusterWatch(client, clock);
    this.#lists = new SharedLists(client);
    this.#access = new EnvironmentAccess(client, clock);
  }

  async assertReachable({ signal }: ProviderCall): Promise<void> {
    // Every cluster has this namespace, and the provider needs permission to read namespaces anyway.
    await this.#namespace("default", signal);
  }

  async applyNamespace(
    intent: NamespaceIntent,
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    const { uid, environment: namespace } = intent;
    const owner = { uid, installation: this.#installation, prune: [] };
    const objects = renderNamespace(intent);
    return await tellChanges(this.#client, async (client) => {
      const changes = await applyObjects(client, { ...owner, objects }, call);
      const binding = await this.#access.binding(intent, call.signal);
      if (!binding) return changes;
      const isPlanned = call.dryRun && changes.some(({ action }) => action === "CREATE");
      if (isPlanned) return [...changes, ...creationOf([binding])];
      const desired = { ...owner, namespace, objects: [binding] };
      const bound = await applyObjects(client, desired, call);
      if (bound.length > 0 && !call.dryRun) await this.#access.noticed(namespace, call.signal);
      return [...changes, ...bound];
    });
  }

  async applyPolicies(
    intent: NamespaceIntent,
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    const { environment: namespace, uid } = intent;
    const objects = renderPolicies(intent);
    if (await this.#isDryRunWithoutNamespace(namespace, call)) return creationOf(objects);
    const installation = this.#installation;
    return await tellChanges(this.#client, async (client) => {
      const read = await listKinds(client, POLICY_KINDS, { namespace }, call.signal);
      const desired = { uid, installation, namespace, objects, prune: POLICY_KINDS, read };
      return [
        ...await applyObjects(client, desired, call),
        ...await pruneObjects(client, desired, call),
      ];
    });
  }

  async deletePolicies(
    { environment: namespace, uid }: Ref,
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    const { signal, dryRun = false } = call;
    const selection = { namespace, labelSelector: ownedBy(uid) };
    const objects = await this.#own(POLICY_KINDS, selection, signal);
    if (!dryRun) await deleteObjects(this.#client, objects, call);
    return objects.map(deletionOf);
  }

  async deleteNamespace(
    ref: Ref,
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    const { signal, dryRun = false } = call;
    const namespace = await this.#namespace(ref.environment, signal);
    if (!namespace || ownerOf(namespace) !== ref.uid) return [];
    if (isForeign(namespace, this.#installation)) return [];
    if (dryRun) {
      return [deletionOf(namespace), ...await this.deletePolicies(ref, { signal, dryRun })];
    }
    await deleteObjects(this.#client, [namespace], call);
    return [deletionOf(namespace)];
  }

  awaitNamespaceGone(
    ref: Ref,
    call: ProviderCall & { onBlocked?: (blockers: readonly Residue[]) => void },
  ): Promise<void> {
    return awaitNamespaceGone(this.#cluster, ref, call);
  }

  async applyWorkload(
    intent: WorkloadIntent,
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    return await tellChanges(this.#client, async (client) => {
      const desired = await this.#desired(intent, call);
      if (await this.#isDryRunWithoutNamespace(intent.environment, call)) {
        return creationOf(desired.objects);
      }
      const fitting = await fitQuota({ client, lists: this.#lists }, desired, call);
      return await applyObjects(client, fitting, call);
    });
  }

  async drift(intent: WorkloadIntent, call: ProviderCall): Promise<readonly Difference[]> {
    const desired = await this.#desired(intent, call);
    const planned = { ...call, dryRun: true };
    if (await this.#isDryRunWithoutNamespace(intent.environment, planned)) {
      return creationOf(desired.objects);
    }
    return await driftOf(this.#client, desired, call);
  }

  async environmentDrift(
    intent: NamespaceIntent,
    call: ProviderCall,
  ): Promise<readonly Difference[]> {
    const { environment: namespace, uid } = intent;
    const installation = this.#installation;
    const [own, policies] = [renderNamespace(intent), renderPolicies(intent)];
    const binding = await this.#access.binding(intent, call.signal);
    const bindings = binding ? [binding] : [];
    const live = await this.#namespace(namespace, call.signal);
    if (!live) return creationOf([...own, ...bindings, ...policies]);
    const owner = { uid, installation, prune: [] };
    const changes = await driftOf(this.#client, { ...owner, objects: own }, call);
    // Nothing can be applied inside a namespace that is being deleted.
    if (live.metadata.deletionTimestamp !== undefined) return changes;
    const bound = await driftOf(this.#client, { ...owner, namespace, objects: bindings }, call);
    // Without its permissions the worker can compare nothing else.
    if (bound.length > 0) return [...changes, ...bound];
    const read = await listKinds(this.#client, POLICY_KINDS, { namespace }, call.signal);
    const inside = { ...owner, namespace, objects: policies, prune: POLICY_KINDS, read };
    return [...changes, ...await driftOf(this.#client, inside, call)];
  }

  awaitRollout(intent: WorkloadIntent, call: RolloutCall): Promise<RolloutStatus> {
    const mayBeGone = async () =>
      this.#charts !== null && (await this.#desired(intent, call)).objects.every(removesItself);
    return awaitRollout(this.#cluster, intent, call, mayBeGone);
  }

  async pruneWorkload(
    intent: WorkloadIntent,
    call: ApplyCall,
  ): Promise<readonly PlannedChange[]> {
    if (await this.#isDryRunWithoutNamespace(intent.environment, call)) return [];
    return await pruneObjects(this.#client, await this.#desired(intent, call), call);
  }

  async deleteWorkloads(
    refs: readonly WorkloadRef[],
    call: DeleteCall,
  ): Promise<readonly PlannedChange[]> {
    const { signal, dryRun = false, withNamespace = false } = call;
    const [first] = refs;
    if (!first) return [];
    const labelSelector = ownedBy(...refs.map(({ uid }) => uid));
    const kinds = withNamespace
      ? [...POD_OWNING_KINDS, ...this.#charts?.additionalKinds ?? []]
      : [...KEPT_KINDS, ...this.#workloadKinds];
    const selection = { namespace: first.environment, labelSelector };
    const objects = await this.#own(kinds, selection, signal);
    const owned = refs.map(({ uid }) => objects.filter((object) => ownerOf(object) === uid));
    if (!dryRun) {
      await Promise.all(owned.map((objects) => deleteObjects(this.#client, objects, call)));
    }
    return owned.flat().map((object) => {
      const deletion = deletionOf(object);
      if (!dryRun) this.#deleted.set(deletion, object);
      return deletion;
    });
  }

  awaitWorkloadGone(ref: WorkloadRef, call: WorkloadWait): Promise<void> {
    const kinds = [...this.#workloadKinds, ...KEPT_KINDS];
    const known = call.deleted?.flatMap((deletion) => this.#deleted.get(deletion) ?? []);
    const isComplete = known?.length === call.deleted?.length;
    return awaitWorkloadGone(
      this.#cluster,
      ref,
      { kinds, known: isComplete ? known : undefined },
      call,
    );
  }

  async inventory({ signal }: ProviderCall): Promise<Inventory> {
    const kinds = [...ALL_KINDS, ...this.#charts?.additionalKinds ?? []];
    const all = await listEverywhere(this.#client, kinds, signal);
    // The namespaces that carry the claims of control planes belong to no environment.
    const objects = all.filter(({ metadata }) => metadata.labels?.[CLAIMS] === undefined);
    const { cluster } = this.#client;
    const installations = byInstallation(objects);
    const own = installations.get(this.#installation) ?? [];
    const foreign = [...installations].filter(([id]) => id !== this.#installation);
    return {
      objects: own.flatMap((object) => toClusterObject(cluster, object) ?? []),
      foreign: foreign.map(([installation, { length }]) => ({
        cluster,
        installation,
        objects: length,
      })),
      clusters: [cluster],
      unread: [],
    };
  }

  async unmanagedObjects(
    { environment, uid }: Ref,
    { signal }: ProviderCall,
  ): Promise<readonly string[]> {
    const namespace = await this.#namespace(environment, signal);
    if (!namespace || ownerOf(namespace) !== uid) return [];
    const kinds = [...ALL_KINDS, ...this.#charts?.additionalKinds ?? []];
    return await unmanagedObjects(this.#client, { namespace: environment, kinds }, {
      signal,
      installation: this.#installation,
    });
  }

  rolloutStatus(
    environment: string,
    workload: string,
    { signal }: ProviderCall,
  ): Promise<RolloutStatus | undefined> {
    return workloadStatus(this.#client, { environment, workload }, signal);
  }

  logs(environment: string, workload: string, query: LogQuery): AsyncIterable<LogLine> {
    return workloadLogs(this.#cluster, { environment, workload }, query);
  }

  pods(
    environment: string,
    workload: string,
    { signal }: ProviderCall,
  ): Promise<readonly PodStatus[]> {
    return workloadPods(this.#client, { environment, workload }, signal);
  }

  events(
    environment: string,
    workload: string,
    { signal }: ProviderCall,
  ): Promise<readonly ClusterEvent[]> {
    return workloadEvents(this.#client, { environment, workload }, signal);
  }

  reviewToken(review: TokenReview, call: ProviderCall): Promise<ReviewedToken> {
    return reviewToken(this.#reviews, review, call);
  }

  async close(): Promise<void> {
    await this.#watch.close();
    await this.#client.close();
    if (this.#reviews !== this.#client) await this.#reviews.close();
  }

  get #cluster() {
    return { client: this.#client, watch: this.#watch, lists: this.#lists, clock: this.#clock };
  }

  async #desired(intent: WorkloadIntent, call: ProviderCall): Promise<Desired> {
    const { uid, environment: namespace, revision } = intent;
    const isChart = isChartIntent(intent);
    return {
      uid,
      installation: this.#installation,
      namespace,
      objects: isChart ? await this.#renderChart(intent, call) : renderWorkload(intent),
      prune: this.#workloadKinds,
      revision,
      shown: isChart ? "never secret" : "all but secrets",
    };
  }

  async #renderChart(intent: ChartIntent, call: ProviderCall) {
    const { workload, spec: { chart } } = intent;
    if (!this.#charts) throw noCharts({ workload, chart: chart.name });
    return await this.#charts.render(intent, call);
  }

  get #workloadKinds(): readonly ObjectKind[] {
    return [...WORKLOAD_KINDS, ...this.#charts?.additionalKinds ?? []];
  }

  /** The objects of a selection that this control plane applied. */
  async #own(
    kinds: readonly ObjectKind[],
    selection: Parameters<typeof listKinds>[2],
    signal: AbortSignal,
  ): Promise<readonly LiveObject[]> {
    const objects = await listKinds(this.#client, kinds, selection, signal);
    return objects.filter((object) => !isForeign(object, this.#installation));
  }

  #namespace(name: string, signal: AbortSignal): Promise<LiveObject | undefined> {
    return this.#client.get({ ...NAMESPACE, name }, { signal });
  }

  /** Whether a dry run has no namespace. An actual apply then fails with the API server's error. */
  async #isDryRunWithoutNamespace(
    name: string,
    { signal, dryRun = false }: ApplyCall,
  ): Promise<boolean> {
    throwIfAborted(signal);
    return dryRun && await this.#namespace(name, signal) === undefined;
  }
}

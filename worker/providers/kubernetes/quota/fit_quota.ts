import type { V1Deployment, V1DeploymentStrategy } from "@kubernetes/client-node";
import { formatCpu, formatMemory, isMpcError, MpcError } from "@mpc/domain";
import type { ApplyCall } from "@mpc/services";
import { listKinds } from "../client/bulk_requests.ts";
import {
  DAEMON_SET,
  DEPLOYMENT,
  JOB,
  LIMIT_RANGE,
  POD,
  RESOURCE_QUOTA,
  STATEFUL_SET,
} from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { fieldAt, type KubernetesObject, type LiveObject, refOf } from "../client/kube_object.ts";
import type { SharedLists } from "../client/shared_lists.ts";
import type { Wire } from "../client/wire_format.ts";
import type { Desired } from "../objects/desired.ts";
import {
  amountOf,
  type CountedPod,
  plus,
  podProblem,
  podUsage,
  type Usage,
  withDefaults,
} from "./pod_usage.ts";
import { peakUsage, podCount, type Replacement, type Rollout } from "./rollout_peak.ts";

/** One limit of a ResourceQuota. */
interface Limit {
  readonly quota: string;
  /** For instance `requests.cpu`. */
  readonly resource: string;
  readonly hard: number;
}

/** A controller that creates pods, and the ways in which it may replace them, best first. */
interface Creator {
  readonly object: KubernetesObject;
  readonly rollout: Rollout;
  readonly ways: readonly Way[];
}

interface Way {
  readonly how: Replacement;
  /** To set in the object; undefined to keep the strategy that it has. */
  readonly strategy?: Wire<V1DeploymentStrategy>;
}

const COUNTED: ReadonlySet<string> = new Set(
  [DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB].map(({ kind }) => kind),
);

/** Whether an object creates pods for which there must be room. */
const isCounted = ({ kind }: KubernetesObject): boolean => COUNTED.has(kind);

/**
 * Chooses update strategies with which the pods of a workload fit the quotas of its namespace: a
 * surge, or else old pods are deleted before new ones are created, or else all old pods are. Quotas,
 * defaults and pods are read from the cluster, so everything that runs in the namespace counts.
 * An undo is not rejected: it needs the room that the failed revision uses.
 * @throws {MpcError} RESOURCE_EXHAUSTED `QUOTA_EXCEEDED`, FAILED_PRECONDITION `ADMISSION_DENIED`,
 *   permanent: no strategy fits
 */
export async function fitQuota(
  { client, lists }: { readonly client: KubeClient; readonly lists: SharedLists },
  desired: Desired,
  call: ApplyCall,
): Promise<Desired> {
  const { signal } = call;
  const { namespace } = desired;
  if (namespace === undefined || !desired.objects.some(isCounted)) return desired;
  // Deployments into one namespace at the same time share a list.
  const limits = (await lists.list(RESOURCE_QUOTA, { namespace }, signal)).flatMap(limitsOf);
  try {
    return await fitLimits(client, desired, limits, call);
  } catch (error) {
    if (!isMpcError(error, "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION")) throw error;
    // A shared list may be older than this call, so it alone rejects nothing.
    const quotas = await listKinds(client, [RESOURCE_QUOTA], { namespace }, signal);
    const current = quotas.flatMap(limitsOf);
    if (JSON.stringify(current) === JSON.stringify(limits)) throw error;
    return await fitLimits(client, desired, current, call);
  }
}

async function fitLimits(
  client: KubeClient,
  desired: Desired,
  limits: readonly Limit[],
  call: ApplyCall,
): Promise<Desired> {
  if (limits.length === 0) return desired;
  const { signal, restore = false } = call;
  const { namespace } = desired;
  const objects = desired.objects.filter(isCounted);
  const [limitRanges, pods, live] = await Promise.all([
    listKinds(client, [LIMIT_RANGE], { namespace }, signal),
    listKinds(client, [POD], { namespace }, signal),
    Promise.all(objects.map((object) => client.get(refOf(object), { signal }))),
  ]);
  const counted = pods.filter(usesQuota);
  const creators: Creator[] = [];
  for (const [index, object] of objects.entries()) {
    const own = counted.filter((pod) => selects(object, pod));
    const before = live[index];
    const replaced = before !== undefined && await isReplaced(client, before, object, call);
    const running = own.map(usageOfPod);
    const creator = creatorOf(object, before, { replaced, running, limitRanges });
    if (peakUsage(creator.rollout, creator.ways.at(-1)!.how) === undefined) continue;
    const problem = podProblem(templateOf(object, limitRanges), limits.map((it) => it.resource));
    if (problem !== undefined && !restore) throw neverAdmitted(object, problem);
    creators.push(creator);
  }
  const others = counted.filter((pod) => !creators.some(({ object }) => selects(object, pod)));
  const used = usageOf(others);
  const levels = Math.max(1, ...creators.map(({ ways }) => ways.length));
  let excess: Excess | undefined;
  for (let level = 0; level < levels; level++) {
    const chosen = creators.map(({ rollout, object, ways }) => {
      const { how, strategy } = ways[Math.min(level, ways.length - 1)]!;
      return { object, strategy, peak: peakUsage(rollout, how) ?? {} };
    });
    excess = excessOf(limits, used, chosen.map(({ peak }) => peak).reduce(plus, {}));
    if (!excess || (restore && level === levels - 1)) return withStrategies(desired, chosen);
  }
  throw exceeded(client, desired, excess!);
}

/**
 * Whether the quotas of a namespace have room for one more pod of a ReplicaSet when all pods that are
 * being deleted are gone. Its controller then creates the pod by itself.
 */
export async function fitsAfterDeletions(
  client: KubeClient,
  set: LiveObject,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace } = set.metadata;
  const [quotas, limitRanges, pods] = await Promise.all([
    listKinds(client, [RESOURCE_QUOTA], { namespace }, signal),
    listKinds(client, [LIMIT_RANGE], { namespace }, signal),
    listKinds(client, [POD], { namespace }, signal),
  ]);
  // Which pods such a quota counts is unknown here, so its rejection is believed.
  if (quotas.some(isScoped)) return false;
  const limits = quotas.flatMap(limitsOf);
  const pod = templateOf(set, limitRanges);
  if (podProblem(pod, limits.map(({ resource }) => resource)) !== undefined) return false;
  return excessOf(limits, usageOf(pods.filter(usesQuota)), podUsage(pod)) === undefined;
}

/** The limits of a quota on pods. Scoped quotas count some pods only, and are left to the cluster. */
function limitsOf(quota: LiveObject): readonly Limit[] {
  if (isScoped(quota)) return [];
  const hard = (fieldAt(quota, "spec", "hard") ?? {}) as Readonly<Record<string, string>>;
  return Object.entries(hard)
    .filter(([resource]) =>
      /^(requests|limits)\.(?!storage$)|^(cpu|memory|ephemeral-storage|pods|count\/pods)$/.test(
        resource,
      )
    )
    .map(([resource, quantity]) => ({
      quota: quota.metadata.name,
      resource,
      hard: amountOf(resource, quantity),
    }));
}

const usageOfPod = (pod: LiveObject): Usage => podUsage(pod["spec"] as CountedPod);

const usageOf = (pods: readonly LiveObject[]): Usage => pods.map(usageOfPod).reduce(plus, {});

const isScoped = (quota: LiveObject): boolean =>
  fieldAt(quota, "spec", "scopes") !== undefined ||
  fieldAt(quota, "spec", "scopeSelector") !== undefined;

/** Whether a pod uses a quota, and goes on to: one that is being deleted soon does not. */
function usesQuota(pod: LiveObject): boolean {
  const phase = fieldAt(pod, "status", "phase");
  return phase !== "Succeeded" && phase !== "Failed" &&
    pod.metadata.deletionTimestamp === undefined;
}

/** Whether a pod belongs to a controller. A Job's pods have its name as a label. */
function selects(object: KubernetesObject, { metadata: { labels = {} } }: LiveObject): boolean {
  if (object.kind === JOB.kind) return labels["job-name"] === object.metadata.name;
  const selector = fieldAt(object, "spec", "selector", "matchLabels");
  const entries = Object.entries(selector ?? {});
  return entries.length > 0 && entries.every(([name, value]) => labels[name] === value);
}

/** Whether applying an object replaces its pods: the API server says it, with its own defaults. */
async function isReplaced(
  client: KubeClient,
  live: LiveObject,
  object: KubernetesObject,
  { signal }: ApplyCall,
): Promise<boolean> {
  if (object.kind === JOB.kind) return false;
  const { replicas: _, ...spec } = object["spec"] as Readonly<Record<string, unknown>>;
  const { uid } = live.metadata;
  const options = { signal, dryRun: true, force: true, uid };
  const applied = await client.apply({ ...object, spec }, options);
  const template = (it: LiveObject) => JSON.stringify(fieldAt(it, "spec", "template"));
  return template(applied) !== template(live);
}

function creatorOf(
  object: KubernetesObject,
  live: LiveObject | undefined,
  { replaced, running, limitRanges }: {
    readonly replaced: boolean;
    readonly running: readonly Usage[];
    readonly limitRanges: readonly LiveObject[];
  },
): Creator {
  const desired = podsOf(object, live);
  const pod = podUsage(templateOf(object, limitRanges));
  const ways = live && !replaced ? [{ how: { type: "none" } } as const] : waysOf(object, desired);
  return { object, rollout: { desired, pod, running }, ways };
}

const templateOf = (object: LiveObject, limitRanges: readonly LiveObject[]): CountedPod =>
  withDefaults(fieldAt(object, "spec", "template", "spec") as CountedPod, limitRanges);

/** How many pods a controller is to have. */
function podsOf(object: KubernetesObject, live: LiveObject | undefined): number {
  const first = (...values: readonly unknown[]) =>
    values.find((value): value is number => typeof value === "number");
  const field = (name: string) => fieldAt(object, "spec", name);
  if (object.kind === DAEMON_SET.kind) {
    return first(fieldAt(live, "status", "desiredNumberScheduled")) ?? 1;
  }
  if (object.kind === JOB.kind) {
    // A Job that exists has created its pods, or will never create more at once than it has.
    if (live || field("suspend") === true) return 0;
    return Math.min(first(field("parallelism")) ?? 1, first(field("completions")) ?? Infinity);
  }
  return first(field("replicas"), fieldAt(live, "spec", "replicas")) ?? 1;
}

/** A pod is removed first, and its successor takes its room. */
const REPLACE: Way = {
  how: { type: "replace", unavailable: 1 },
  strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
};

/** All pods are removed first: the only way if the old pods alone exceed a lowered quota. */
const RECREATE: Way = { how: { type: "recreate" }, strategy: { type: "Recreate" } };

function waysOf(object: KubernetesObject, desired: number): readonly Way[] {
  if (object.kind !== DEPLOYMENT.kind) return [{ how: { type: "replace", unavailable: 1 } }];
  const { strategy } = object["spec"] as NonNullable<Wire<V1Deployment>["spec"]>;
  if (strategy?.type === "Recreate") return [{ how: { type: "recreate" } }];
  const surge = podCount(strategy?.rollingUpdate?.maxSurge, desired, Math.ceil);
  const unavailable = podCount(strategy?.rollingUpdate?.maxUnavailable, desired, Math.floor);
  const how: Replacement = surge > 0
    ? { type: "surge", surge }
    : { type: "replace", unavailable: Math.max(1, unavailable) };
  // A chart that sets a strategy has its reasons.
  const isOurs = isChosen(strategy);
  return isOurs ? [{ how }, REPLACE, RECREATE] : [{ how }];
}

/** What the platform renders for an image, or what a chart has that leaves the choice to others. */
const isChosen = (strategy: Wire<V1DeploymentStrategy> | undefined): boolean =>
  strategy === undefined ||
  (strategy.rollingUpdate?.maxSurge === "25%" && strategy.rollingUpdate.maxUnavailable === 0);

function withStrategies(
  desired: Desired,
  chosen: readonly {
    readonly object: KubernetesObject;
    readonly strategy: Wire<V1DeploymentStrategy> | undefined;
  }[],
): Desired {
  return {
    ...desired,
    objects: desired.objects.map((object) => {
      const strategy = chosen.find((it) => it.object === object)?.strategy;
      if (!strategy) return object;
      return { ...object, spec: { ...object["spec"] as object, strategy } };
    }),
  };
}

interface Excess extends Limit {
  readonly requested: number;
  readonly used: number;
}

function excessOf(limits: readonly Limit[], others: Usage, peak: Usage): Excess | undefined {
  for (const limit of limits) {
    const requested = peak[limit.resource] ?? 0;
    const used = others[limit.resource] ?? 0;
    if (requested > 0 && used + requested > limit.hard) return { ...limit, requested, used };
  }
  return undefined;
}

function exceeded(
  { cluster }: KubeClient,
  { namespace = "", objects }: Desired,
  { quota, resource, hard, requested, used }: Excess,
): MpcError {
  const workload = objects[0]?.metadata.labels["mpc/workload"] ?? "";
  const amount = (value: number) => `${resource}=${formatAmount(resource, value)}`;
  return new MpcError("RESOURCE_EXHAUSTED", {
    reason: "QUOTA_EXCEEDED",
    message:
      `Cannot deploy '${workload}': quota '${quota}' forbids it: requested: ${
        amount(requested)
      }, ` +
      `used: ${amount(used)}, limited: ${amount(hard)}; raise it with 'mpctl env update ` +
      `${namespace}', or use less`,
    retryable: false,
    metadata: { cluster, environment: namespace, quota, resource },
  });
}

/** An amount as a quantity, as the API server writes it. */
function formatAmount(resource: string, amount: number): string {
  if (/(^|\.)cpu$/.test(resource)) return formatCpu(amount);
  return /memory|storage/.test(resource) ? formatMemory(amount) : String(amount);
}

const neverAdmitted = (object: KubernetesObject, problem: string): MpcError =>
  new MpcError("FAILED_PRECONDITION", {
    reason: "ADMISSION_DENIED",
    message:
      `Cannot deploy '${object.kind}/${object.metadata.name}': the cluster would reject its pods: ${problem}`,
    retryable: false,
    metadata: { object: `${object.kind}/${object.metadata.name}` },
  });

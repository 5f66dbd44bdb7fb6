/** How much of a ResourceQuota one pod uses, by the rules of the API server. */
import type {
  V1Container,
  V1LimitRangeItem,
  V1PodSpec,
  V1ResourceRequirements,
} from "@kubernetes/client-node";
import { parseCpuMillis, parseMemoryBytes } from "@mpc/domain";
import { fieldAt, type LiveObject } from "../client/kube_object.ts";
import type { Wire } from "../client/wire_format.ts";

/** Amounts by the name of a quota's resource, for instance `requests.cpu`, in base units. */
export type Usage = Readonly<Record<string, number>>;

/** The part of a pod that decides about its usage. */
export type CountedPod = Pick<
  Wire<V1PodSpec>,
  "containers" | "initContainers" | "overhead" | "resources"
>;

type Container = Wire<V1Container>;
type Amounts = Readonly<Record<string, string>>;

/** The sum of two usages. */
export const plus = (a: Usage, b: Usage): Usage => combine(a, b, (one, other) => one + other);

/** The larger amount of each resource. */
export const atLeast = (a: Usage, b: Usage): Usage => combine(a, b, Math.max);

export const times = (usage: Usage, count: number): Usage =>
  Object.fromEntries(Object.entries(usage).map(([name, amount]) => [name, amount * count]));

/** The amount of a quantity of a resource, in millis of a core or in units. */
export function amountOf(resource: string, quantity: string): number {
  return (isCpu(resource) ? parseCpuMillis(quantity) : parseMemoryBytes(quantity)) ?? 0;
}

const isCpu = (resource: string): boolean => /(^|\.)cpu$/.test(resource);

/**
 * The usage of a pod as its quota counts it (Kubernetes, "Resource Quotas" and "Sidecar Containers":
 * resource sharing). Init containers run one after the other before the containers, and sidecars,
 * which never end, run with all that start after them.
 */
export function podUsage(pod: CountedPod): Usage {
  const requests = podAmounts(pod, (container) => withRequestsOfLimits(container).requests);
  const limits = podAmounts(pod, ({ limits = {} }) => limits);
  const overhead = pod.overhead ?? {};
  const used: Record<string, number> = { pods: 1, "count/pods": 1 };
  for (const [name, amount] of Object.entries(plus(requests, amountsOf(overhead)))) {
    used[`requests.${name}`] = amount;
    if (PLAIN.has(name)) used[name] = amount;
  }
  for (const [name, amount] of Object.entries(limits)) {
    used[`limits.${name}`] = amount + amountOf(name, overhead[name] ?? "0");
  }
  return used;
}

/** Resources that a quota may name without the prefix `requests.`. */
const PLAIN: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);

function podAmounts(
  { containers, initContainers = [], resources }: CountedPod,
  amounts: (resources: Wire<V1ResourceRequirements>) => Amounts,
): Usage {
  const of = ({ resources = {} }: Container) => amountsOf(amounts(resources));
  let running = containers.map(of).reduce(plus, {});
  let sidecars: Usage = {};
  let starting: Usage = {};
  for (const container of initContainers) {
    const own = of(container);
    if (container.restartPolicy === "Always") {
      running = plus(running, own);
      sidecars = plus(sidecars, own);
      starting = atLeast(starting, sidecars);
    } else starting = atLeast(starting, plus(own, sidecars));
  }
  // Amounts of the pod itself override the sum of its containers.
  return { ...atLeast(running, starting), ...amountsOf(amounts(resources ?? {})) };
}

/** A limit without a request is also the request. */
function withRequestsOfLimits(
  { requests = {}, limits = {} }: Wire<V1ResourceRequirements>,
): { readonly requests: Amounts; readonly limits: Amounts } {
  return { requests: { ...limits, ...requests }, limits };
}

/** A pod with the defaults that the LimitRanges of its namespace give its containers. */
export function withDefaults<Pod extends CountedPod>(
  pod: Pod,
  limitRanges: readonly LiveObject[],
): Pod {
  const items = limitRanges
    .flatMap((range) => (fieldAt(range, "spec", "limits") ?? []) as Wire<V1LimitRangeItem>[])
    .filter(({ type }) => type === "Container");
  const complete = (container: Container): Container => {
    let { requests, limits } = withRequestsOfLimits(container.resources ?? {});
    for (const { default: ofLimits = {}, defaultRequest = {} } of items) {
      limits = { ...ofLimits, ...limits };
      requests = { ...defaultRequest, ...requests };
    }
    return { ...container, resources: { ...container.resources, requests, limits } };
  };
  return {
    ...pod,
    containers: pod.containers.map(complete),
    ...(pod.initContainers && { initContainers: pod.initContainers.map(complete) }),
  };
}

/**
 * Why the API server rejects pods whatever else uses the quota; undefined if it does not: a container
 * must request what the quota limits, and its requests must not exceed its limits.
 * @param limited names of the quota's resources
 */
export function podProblem(pod: CountedPod, limited: readonly string[]): string | undefined {
  for (const { name, resources = {} } of [...pod.initContainers ?? [], ...pod.containers]) {
    const { requests, limits } = withRequestsOfLimits(resources);
    for (const [resource, limit] of Object.entries(limits)) {
      const request = requests[resource] ?? limit;
      if (amountOf(resource, request) > amountOf(resource, limit)) {
        return `container '${name}' requests ${request} of ${resource}, which is more than its limit ${limit}`;
      }
    }
    const missing = limited.find((resource) => {
      if (PLAIN.has(resource)) return requests[resource] === undefined;
      const [, kind, of = ""] = /^(requests|limits)\.(cpu|memory)$/.exec(resource) ?? [];
      if (kind === undefined) return false;
      return (kind === "limits" ? limits : requests)[of] === undefined;
    });
    if (missing !== undefined) return `container '${name}' must specify ${missing}`;
  }
  return undefined;
}

function amountsOf(amounts: Amounts): Usage {
  return Object.fromEntries(
    Object.entries(amounts).map(([name, quantity]) => [name, amountOf(name, quantity)]),
  );
}

function combine(a: Usage, b: Usage, join: (one: number, other: number) => number): Usage {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, join(a[name] ?? 0, b[name] ?? 0)]));
}

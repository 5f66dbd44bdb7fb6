/** Pages of what clusters tell about workloads: of one, or of all that a parent with `-` names. */
import {
  compareScalars,
  environmentIdOf,
  environmentName,
  type Filter,
  idOf,
  parseName,
  type Scalar,
  type Workload,
} from "@mpc/domain";
import type { Cursor } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { isUnreadable } from "../diagnostics/cluster_findings.ts";
import type { ProviderCall } from "../ports/mod.ts";
import { readPaging } from "../resources/list_page.ts";
import { pagesOf } from "../resources/read_all.ts";
import { assertName } from "../resources/preconditions.ts";
import { assertParent, getWorkload } from "./read_workloads.ts";

/** One page of a cluster's list. */
export interface ClusterListRequest {
  /** `environments/{environment}/workloads/{workload}`; `-` in either place is all (AIP-159). */
  readonly parent: string;
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface ClusterListResult<T> {
  readonly items: readonly (T & { readonly workload: string })[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
  /** Names of environments whose cluster did not answer (AIP-217). */
  readonly unreachable: readonly string[];
}

/** What is listed, and how. */
export interface ClusterList<T> {
  /** What cannot be done, for messages. */
  readonly action: string;
  /** What a cluster has of one workload, in any order. */
  readonly read: (environment: string, workload: string, call: ProviderCall) => Promise<
    readonly T[]
  >;
  /** Keys that order what one workload has, and find the place again. */
  readonly keysOf: (item: T) => readonly Scalar[];
  /** How many keys. */
  readonly keys: number;
}

/** Workloads that are asked for at the same time. */
const AT_ONCE = 16;

/** Workloads that one page may ask for; a page of clusters with little in them ends early. */
const MAX_WORKLOADS = 256;

/**
 * Lists one page, by the names of workloads and then by the list's own keys.
 *
 * A cluster that does not answer fails the list of one workload; in a list over many its
 * environments are named in the answer.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, NOT_FOUND `WORKLOAD_NOT_FOUND` or
 *   `ENVIRONMENT_NOT_FOUND`, and for one workload what `read` throws
 */
export async function listOnClusters<T extends object>(
  deps: ServiceDeps,
  caller: Caller,
  list: ClusterList<T>,
  request: ClusterListRequest,
): Promise<ClusterListResult<T>> {
  const { parent } = request;
  assertName("workload", parent, list.action, "parent");
  const { limit, after, tokenOf } = readPaging(list.action, request, [parent], list.keys);
  const single = !parseName(parent)?.ids.includes("-");
  const page = new Page(list, limit, after);
  const unreachable = new Set<string>();
  let asked = 0;
  for await (
    const names of single ? one(deps, caller, parent) : many(deps, caller, parent, after)
  ) {
    const read = names.map(async (name) => {
      const environment = environmentName(environmentIdOf(name));
      if (unreachable.has(environment)) return { name, items: [] };
      try {
        const items = await list.read(environmentIdOf(name), idOf(name), caller);
        return { name, items };
      } catch (error) {
        if (single || !isUnreadable(error)) throw error;
        unreachable.add(environment);
        return { name, items: [] };
      }
    });
    for (const { name, items } of await Promise.all(read)) page.add(name, items);
    asked += names.length;
    if (page.isFull) break;
    if (asked >= MAX_WORKLOADS) {
      page.endAt(names.at(-1)!);
      break;
    }
  }
  return {
    items: page.items,
    nextPageToken: page.next ? tokenOf(page.next) : "",
    unreachable: [...unreachable].toSorted(),
  };
}

async function* one(deps: ServiceDeps, caller: Caller, name: string) {
  await getWorkload(deps, caller, name);
  yield [name];
}

/** The names of the workloads of a parent with `-`, from the place of a page on. */
async function* many(
  deps: ServiceDeps,
  caller: Caller,
  parent: string,
  after: Cursor | undefined,
): AsyncGenerator<readonly string[]> {
  const { store, authorizer } = deps;
  const [environment = "", workload = ""] = parseName(parent)?.ids ?? [];
  if (environment !== "-") await assertParent(deps, caller, environmentName(environment));
  const visible = await authorizer.visible(caller, "workloads.get");
  const named: Filter | null = workload === "-"
    ? null
    : { op: "=", path: ["name"], value: `*/workloads/${workload}` };
  const terms = [visible, named].filter((term) => term !== null);
  const filter: Filter | undefined = terms.length > 0 ? { op: "and", terms } : undefined;
  const { signal } = caller;
  const query = {
    prefix: environment === "-" ? "" : `${environmentName(environment)}/workloads/`,
    limit: AT_ONCE,
    signal,
    ...(filter && { filter }),
  };
  if (after && !isEnd(after)) {
    // A token is the caller's word: its workload must be one that the caller may list.
    const begun: Filter = { op: "=", path: ["name"], value: after.name };
    const { items } = await store.workloads.list({
      ...query,
      limit: 1,
      filter: { op: "and", terms: [...terms, begun] },
    });
    if (items.length > 0) yield items.map(({ value }) => value.name);
  }
  const from: Cursor | undefined = after && { keys: [], name: after.name };
  for await (const page of pagesOf<Workload>(store.workloads, query, from)) {
    if (page.length > 0) yield page.map(({ value }) => value.name);
  }
}

/** Whether a cursor says that all of its workload was listed. */
const isEnd = ({ keys }: Cursor): boolean => keys.every((key) => key === null);

/** A page that is being filled; one item more than its limit shows that there is a next one. */
class Page<T extends object> {
  readonly #list: ClusterList<T>;
  readonly #limit: number;
  readonly #after: Cursor | undefined;
  readonly #found: { readonly workload: string; readonly item: T }[] = [];
  #end: string | undefined;

  constructor(list: ClusterList<T>, limit: number, after: Cursor | undefined) {
    this.#list = list;
    this.#limit = limit;
    this.#after = after;
  }

  get isFull(): boolean {
    return this.#found.length > this.#limit;
  }

  add(workload: string, items: readonly T[]): void {
    const after = this.#after;
    const sorted = items.map((item) => ({ item, keys: this.#list.keysOf(item) }))
      .toSorted((a, b) => compareKeys(a.keys, b.keys));
    for (const { item, keys } of sorted) {
      if (workload === after?.name && compareKeys(keys, after.keys) <= 0) continue;
      this.#found.push({ workload, item });
    }
  }

  /** Ends the page behind a workload, though it is not full. */
  endAt(workload: string): void {
    this.#end = workload;
  }

  get items(): readonly (T & { readonly workload: string })[] {
    return this.#found.slice(0, this.#limit).map(({ workload, item }) => ({ ...item, workload }));
  }

  get next(): Cursor | undefined {
    if (this.isFull) {
      const { workload, item } = this.#found[this.#limit - 1]!;
      return { name: workload, keys: this.#list.keysOf(item) };
    }
    const keys = Array.from({ length: this.#list.keys }, () => null);
    return this.#end === undefined ? undefined : { name: this.#end, keys };
  }
}

function compareKeys(a: readonly Scalar[], b: readonly Scalar[]): number {
  for (const [index, key] of a.entries()) {
    const order = compareScalars(key, b[index] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

/** What a caller may see, as filters over the documents of a collection. */
import { environmentName, type Filter, idOf, MpcError } from "@mpc/domain";
import type { ListPermission } from "@mpc/services";
import type { Store } from "@mpc/storage";
import type { Scope } from "./rules.ts";

/** Environments that selectors may match; a filter over workloads and operations names each. */
const MAX_ENVIRONMENTS = 1_000;

/** Where documents of a kind name their environment. */
const PATHS: Readonly<Record<ListPermission, readonly string[]>> = {
  "environments.get": ["name"],
  "workloads.get": ["name"],
  "operations.get": ["target"],
};

/**
 * The filter for scopes of which at least one must hold.
 *
 * Names are part of every document's name or target. Labels are of environments alone: a selector
 * is a filter over environments, and for workloads and operations it is resolved into the names of
 * the environments that match now.
 * @throws {MpcError} RESOURCE_EXHAUSTED `TOO_MANY_ENVIRONMENTS`
 */
export async function visibleFilter(
  store: Store,
  { principal, signal }: { readonly principal: string; readonly signal: AbortSignal },
  permission: ListPermission,
  scopes: readonly Scope[],
): Promise<Filter> {
  const terms: Filter[] = [];
  const selected: Filter[] = [];
  for (const scope of scopes) {
    const named = namesFilter(permission, scope.names);
    if (scope.selector === null) {
      terms.push(named);
      continue;
    }
    const own = ownFilter(permission, principal);
    if (own) terms.push(and([own, named]));
    selected.push(and([scope.selector.filter, namesFilter("environments.get", scope.names)]));
  }
  if (selected.length === 0) return or(terms);
  if (permission === "environments.get") return or([...terms, ...selected]);
  const ids = await matchingIds(store, or(selected), signal);
  return or([...terms, ...ids.map((id) => named(permission, id))]);
}

/** The operations that a caller has requested: their environment may be gone, with its labels. */
function ownFilter(permission: ListPermission, principal: string): Filter | undefined {
  // A `*` would be a wildcard.
  if (permission !== "operations.get" || principal.includes("*")) return undefined;
  return { op: "=", path: ["actor"], value: principal };
}

function namesFilter(permission: ListPermission, names: readonly string[] | null): Filter {
  return or((names ?? ["*"]).map((pattern) => named(permission, pattern)));
}

/** Documents of an environment, or of all whose names begin like a pattern with `*` at its end. */
function named(permission: ListPermission, pattern: string): Filter {
  const path = PATHS[permission];
  const name = environmentName(pattern);
  if (pattern.endsWith("*")) return { op: "=", path, value: name };
  const itself: Filter = { op: "=", path, value: name };
  const inside: Filter = { op: "=", path, value: `${name}/*` };
  if (permission === "environments.get") return itself;
  return permission === "workloads.get" ? inside : or([itself, inside]);
}

async function matchingIds(
  store: Store,
  filter: Filter,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { items, next } = await store.environments.list({
    filter,
    limit: MAX_ENVIRONMENTS,
    signal,
  });
  if (next === null) return items.map(({ value }) => idOf(value.name));
  throw new MpcError("RESOURCE_EXHAUSTED", {
    reason: "TOO_MANY_ENVIRONMENTS",
    message: `Cannot list for this caller: its label selectors match more than ` +
      `${MAX_ENVIRONMENTS} environments; bind the role by name patterns, or for the whole platform`,
    retryable: false,
  });
}

const NOTHING: Filter = { op: "=", path: ["name"], value: "" };

/** A balanced tree, because SQLite limits the depth of expressions and reads a long OR as one. */
function or(terms: readonly Filter[]): Filter {
  const [first] = terms;
  if (!first) return NOTHING;
  if (terms.length === 1) return first;
  if (terms.length <= 8) return { op: "or", terms };
  const half = Math.ceil(terms.length / 2);
  return { op: "or", terms: [or(terms.slice(0, half)), or(terms.slice(half))] };
}

const and = (terms: readonly Filter[]): Filter => ({ op: "and", terms });

import type { Collection, ListQuery, Store } from "../store.ts";

/** The names of the collections of a store. */
export type CollectionName = {
  [K in keyof Store]-?: Store[K] extends { list(query: ListQuery): unknown } ? K : never;
}[keyof Store];

type Use<R> = <T extends { readonly name: string }>(
  one: Collection<T>,
  other: Collection<T>,
) => Promise<R>;

/** Every collection: one that is missing here does not compile, since a copy would lose it. */
const USES: {
  readonly [K in CollectionName]: <R>(one: Store, other: Store, use: Use<R>) => Promise<R>;
} = {
  installations: (one, other, use) => use(one.installations, other.installations),
  environments: (one, other, use) => use(one.environments, other.environments),
  workloads: (one, other, use) => use(one.workloads, other.workloads),
  revisions: (one, other, use) => use(one.revisions, other.revisions),
  operations: (one, other, use) => use(one.operations, other.operations),
  orphans: (one, other, use) => use(one.orphans, other.orphans),
  claims: (one, other, use) => use(one.claims, other.claims),
  leases: (one, other, use) => use(one.leases, other.leases),
  tokens: (one, other, use) => use(one.tokens, other.tokens),
  audit: (one, other, use) => use(one.audit, other.audit),
  auditMarks: (one, other, use) => use(one.auditMarks, other.auditMarks),
  eventSinks: (one, other, use) => use(one.eventSinks, other.eventSinks),
  deadLetters: (one, other, use) => use(one.deadLetters, other.deadLetters),
};

export const COLLECTIONS = Object.keys(USES) as readonly CollectionName[];

/** Does the same with one collection of two stores, whatever its documents are. */
export const withCollections = <R>(
  name: CollectionName,
  one: Store,
  other: Store,
  use: Use<R>,
): Promise<R> => USES[name](one, other, use);

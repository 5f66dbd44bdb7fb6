import { AsyncLocalStorage } from "node:async_hooks";
import type { Operation } from "@mpc/domain";
import type { Collection, Store } from "@mpc/storage";
import type { Access, Authorizer } from "../ports/mod.ts";

/** A call whose steps are recorded. */
export interface AuditedCall {
  /** Called when a permission is granted, or refused. */
  decided(access: Access, granted: boolean): Promise<void>;
  /**
   * Called before each write; rejects if the write must not be made.
   * @param operation the operation that is written, if it is one
   * @param isNew whether it is created
   */
  beforeWrite(operation: Operation | undefined, isNew: boolean): Promise<void>;
}

/** The call that the running code belongs to. */
const CALLS = new AsyncLocalStorage<AuditedCall>();

/** Runs the code of a call; what it does to an audited store and authorizer is reported to `call`. */
export const runAudited = <R>(call: AuditedCall, run: () => R): R => CALLS.run(call, run);

/** A store that reports each write of a call before it is made. Those of nobody's call are not. */
export function auditedStore(store: Store): Store {
  const { events, operations } = store;
  return {
    environments: audited(store.environments),
    workloads: audited(store.workloads),
    revisions: audited(store.revisions),
    operations: {
      ...audited(operations, (operation) => operation),
      findByRequestId: (...call) => operations.findByRequestId(...call),
    },
    orphans: audited(store.orphans),
    claims: audited(store.claims),
    leases: audited(store.leases),
    tokens: audited(store.tokens),
    eventSinks: audited(store.eventSinks),
    deadLetters: audited(store.deadLetters),
    installations: audited(store.installations),
    audit: store.audit,
    auditMarks: store.auditMarks,
    events: {
      append: (...call) => afterReport(() => events.append(...call)),
      head: (...call) => events.head(...call),
      read: (...call) => events.read(...call),
      tail: (...call) => events.tail(...call),
      follow: (...call) => events.follow(...call),
      compactBefore: (...call) => events.compactBefore(...call),
    },
    ...(store.assertWritable && { assertWritable: (options) => store.assertWritable!(options) }),
    close: () => store.close(),
  };
}

/** An authorizer that reports each decision about a call. */
export function auditedAuthorizer(authorizer: Authorizer): Authorizer {
  return {
    authorize(caller, access) {
      const call = CALLS.getStore();
      const decision = authorizer.authorize(caller, access);
      return call ? reported(call, access, decision) : decision;
    },
    visible: (...call) => authorizer.visible(...call),
    check: (...call) => authorizer.check(...call),
    grants: (...call) => authorizer.grants(...call),
  };
}

async function reported(call: AuditedCall, access: Access, decision: Promise<void>): Promise<void> {
  try {
    await decision;
  } catch (error) {
    await call.decided(access, false);
    throw error;
  }
  await call.decided(access, true);
}

function audited<T extends { readonly name: string }>(
  collection: Collection<T>,
  operationOf: (value: T) => Operation | undefined = () => undefined,
): Collection<T> {
  return {
    create: (value, options) =>
      afterReport(() => collection.create(value, options), operationOf(value), true),
    replace: (value, version, options) =>
      afterReport(() => collection.replace(value, version, options), operationOf(value)),
    delete: (...call) => afterReport(() => collection.delete(...call)),
    get: (name, options) => collection.get(name, options),
    list: (query) => collection.list(query),
    count: (...call) => collection.count(...call),
  };
}

function afterReport<R>(
  write: () => Promise<R>,
  operation?: Operation,
  isNew = false,
): Promise<R> {
  const call = CALLS.getStore();
  return call ? call.beforeWrite(operation, isNew).then(write) : write();
}

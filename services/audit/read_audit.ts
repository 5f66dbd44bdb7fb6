import {
  AUDIT_FIELDS,
  AUDIT_NEWEST,
  AUDIT_REMOVED,
  type AuditHead,
  type AuditRecord,
  auditRecordName,
  LIST_ORDERS,
  matches,
  NO_AUDIT,
  parseFilter,
} from "@mpc/domain";
import { type AuditVerdict, verifyAudit } from "@mpc/domain/audit_chain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import type { AuditTrail } from "../ports/mod.ts";
import { listPage, type ListRequest, type ListResult } from "../resources/list_page.ts";
import { pagesOf } from "../resources/read_all.ts";
import { sleepUnlessAborted } from "../sleep_unless_aborted.ts";

const PAGE = 500;

/** How often a watch looks for records that other processes have appended. */
const LOOK_EVERY_MS = 1_000;

const ACCESS = { permission: "audit.get", resource: null } as const;

/**
 * Lists records of the audit, newest first unless another order is requested.
 * @throws {MpcError} PERMISSION_DENIED, and what {@linkcode listPage} throws
 */
export async function listAudit(
  { store, clock, authorizer }: ServiceDeps,
  caller: Caller,
  request: ListRequest,
): Promise<ListResult<AuditRecord>> {
  await authorizer.authorize(caller, ACCESS);
  return await listPage(
    {
      collection: store.audit,
      now: clock.now(),
      fields: AUDIT_FIELDS,
      orders: LIST_ORDERS.audit,
      visible: null,
      prefix: "",
      defaultOrder: [{ path: ["time"], descending: true }],
      action: "list audit records",
    },
    caller,
    request,
  );
}

export interface WatchAuditRequest {
  readonly filter: string;
  /** Begins after the record with this sequence. */
  readonly after: number;
  /** Begins with the next record. */
  readonly skipExisting: boolean;
}

/**
 * Yields records in order, as many at once as there are, then each new record.
 * @throws {MpcError} PERMISSION_DENIED, INVALID_ARGUMENT `INVALID_FILTER`
 */
export async function* watchAudit(
  { store, clock, authorizer }: ServiceDeps,
  audit: AuditTrail,
  caller: Caller,
  request: WatchAuditRequest,
): AsyncGenerator<readonly AuditRecord[]> {
  const { signal } = caller;
  await authorizer.authorize(caller, ACCESS);
  const filter = parseFilter(request.filter, AUDIT_FIELDS, clock.now());
  let last = request.skipExisting ? await newestOf(store.audit) : auditRecordName(request.after);
  while (!signal.aborted) {
    const appended = audit.appended();
    const { items } = await store.audit.list({ after: { keys: [], name: last }, limit: PAGE });
    if (items.length === 0) {
      const stop = new AbortController();
      const look = sleepUnlessAborted(
        clock,
        LOOK_EVERY_MS,
        AbortSignal.any([signal, stop.signal]),
      );
      await Promise.race([appended, look]);
      stop.abort();
      continue;
    }
    // Access may have changed since the watch began.
    await authorizer.authorize(caller, ACCESS);
    last = items.at(-1)!.value.name;
    const found = items.map(({ value }) => value).filter((it) => !filter || matches(filter, it));
    if (found.length > 0) yield found;
  }
}

/** The name of the newest record, or one that comes before all records. */
async function newestOf(audit: ServiceDeps["store"]["audit"]): Promise<string> {
  const orderBy = [{ path: ["name"], descending: true }];
  const { items: [newest] } = await audit.list({ orderBy, limit: 1 });
  return newest?.value.name ?? auditRecordName(0);
}

export interface Verification extends AuditVerdict {
  /** How many of the oldest records retention has removed. */
  readonly removed: number;
}

/**
 * Checks the chain of hashes over all records that are kept.
 * @param expected the end of the log at an earlier time
 * @throws {MpcError} PERMISSION_DENIED
 */
export async function verifyAuditLog(
  { store, authorizer }: Pick<ServiceDeps, "store" | "authorizer">,
  caller: Caller,
  expected: AuditHead | null,
): Promise<Verification> {
  await authorizer.authorize(caller, ACCESS);
  const { signal } = caller;
  const markOf = async (name: string): Promise<AuditHead> =>
    (await store.auditMarks.get(name, { signal }))?.value ?? NO_AUDIT;
  async function* records() {
    for await (const page of pagesOf(store.audit, { limit: PAGE, signal })) {
      yield page.map(({ value }) => value);
    }
  }
  for (;;) {
    const removed = await markOf(AUDIT_REMOVED);
    const newest = await markOf(AUDIT_NEWEST);
    const positions = [...expected ? [expected] : [], ...newest.sequence > 0 ? [newest] : []];
    const verdict = await verifyAudit(records(), { removed, positions });
    // Retention may have removed records while they were read.
    const removedSince = (await markOf(AUDIT_REMOVED)).sequence;
    if (
      !verdict.problem || verdict.problem.sequence > removedSince ||
      removedSince === removed.sequence
    ) {
      return { ...verdict, removed: removed.sequence };
    }
  }
}

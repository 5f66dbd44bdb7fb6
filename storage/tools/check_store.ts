import {
  AUDIT_NEWEST,
  AUDIT_REMOVED,
  auditRecordName,
  type Environment,
  ENVIRONMENT_STATES,
  environmentIdOf,
  environmentName,
  type Event,
  isTerminal,
  type Operation,
  OPERATION_KINDS,
  OPERATION_STATES,
  parseName,
  type ResourceKind,
  type Revision,
  type Workload,
  WORKLOAD_STATES,
} from "@mpc/domain";
import { verifyAudit } from "@mpc/domain/audit_chain";
import type { Store, Stored } from "../store.ts";
import { compactedOf, documentsOf, eventsOf } from "./contents.ts";
import { readRecords } from "./read_records.ts";

/** The invariants of what a store holds, for people. */
export const STORAGE_CHECKS = {
  DATABASE_DAMAGED: "the database is intact",
  RECORD_UNREADABLE: "every record can be read",
  RECORD_UNKNOWN: "every record has a name, a kind and a state that this version knows",
  LOCK_WITHOUT_OPERATION: "every lock is held by a live operation on its resource",
  OPERATION_WITHOUT_LOCK: "every running operation holds its resource",
  REVISIONS_INCOMPLETE: "every workload has the revisions that its record names",
  RECORD_ORPHANED: "every workload has its environment, and every revision its workload",
  REQUEST_ID_TWICE: "every request id belongs to one operation",
  EVENTS_AHEAD: "no event is newer than its record, and no record is missing that has events",
  LOG_DISORDERED: "the sequences of the log increase",
  AUDIT_BROKEN: "no record of the audit is missing or changed",
} as const;

export type StorageCheck = keyof typeof STORAGE_CHECKS;

/** A violation of an invariant. */
export interface StorageFinding {
  readonly check: StorageCheck;
  /** The record that it is about. */
  readonly subject: string;
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** What was read, and what is wrong with it. */
export interface StorageReport {
  readonly records: number;
  readonly events: number;
  readonly findings: readonly StorageFinding[];
}

/** Running changes break invariants for moments; younger ones are no findings. */
const GRACE_MS = 60_000;

const JANITOR = "Start the platform: its janitor repairs this within a minute; then check again";
export const RESTORE = "deno task storage:restore BACKUP ADDRESS --replace";

/** What is needed of operations, which may be many. */
type OperationFacts = Pick<
  Operation,
  "name" | "kind" | "state" | "target" | "createTime" | "updateTime"
>;

interface Records {
  readonly environments: ReadonlyMap<string, Stored<Environment>>;
  readonly workloads: ReadonlyMap<string, Stored<Workload>>;
  readonly operations: ReadonlyMap<string, OperationFacts & { readonly version: number }>;
  /** Numbers by workload. */
  readonly revisions: ReadonlyMap<string, readonly number[]>;
}

/**
 * Checks the invariants of what a store holds; it only reads.
 * @param now milliseconds since 1970
 */
export async function checkStore(store: Store, now: number): Promise<StorageReport> {
  const findings: StorageFinding[] = [];
  const records = await readAll(store, findings);
  const resources = [...records.environments.values(), ...records.workloads.values()];
  for (const { value } of resources) findings.push(...lockFindings(value, records, now));
  for (const operation of records.operations.values()) {
    findings.push(...operationFindings(operation, records, now));
  }
  for (const { value } of records.workloads.values()) {
    findings.push(...workloadFindings(value, records));
  }
  for (const workload of records.revisions.keys()) {
    if (records.workloads.has(workload)) continue;
    findings.push({
      check: "RECORD_ORPHANED",
      subject: workload,
      message: "It has revisions, but no record",
      remedy: "Deploy a workload of that name and delete it, which removes its revisions",
    });
  }
  const events = await checkEvents(store, records, findings);
  findings.push(...await auditFindings(store));
  return { records: await countRecords(records), events, findings };
}

const countRecords = ({ environments, workloads, operations, revisions }: Records): number =>
  environments.size + workloads.size + operations.size +
  [...revisions.values()].reduce((sum, numbers) => sum + numbers.length, 0);

async function readAll(store: Store, findings: StorageFinding[]): Promise<Records> {
  const environments = new Map<string, Stored<Environment>>();
  const workloads = new Map<string, Stored<Workload>>();
  const operations = new Map<string, OperationFacts & { readonly version: number }>();
  const revisions = new Map<string, number[]>();
  const requests = new Map<string, string>();
  const known = (kind: ResourceKind, name: string, state?: string, states?: readonly string[]) =>
    findings.push(...unknownFindings(kind, name, state, states));
  const unreadable = [
    ...await readRecords(store.environments, (stored) => {
      known("environment", stored.value.name, stored.value.state, ENVIRONMENT_STATES);
      environments.set(stored.value.name, stored);
    }),
    ...await readRecords(store.workloads, (stored) => {
      known("workload", stored.value.name, stored.value.state, WORKLOAD_STATES);
      workloads.set(stored.value.name, stored);
    }),
    ...await readRecords(store.revisions, ({ value }) => {
      known("revision", value.name);
      findings.push(...misnamedFindings(value));
      const workload = value.name.slice(0, value.name.lastIndexOf("/revisions/"));
      revisions.set(workload, [...revisions.get(workload) ?? [], value.number]);
    }),
    ...await readRecords(store.operations, ({ value, version }) => {
      const { name, kind, state, target, createTime, updateTime, actor, requestId } = value;
      known("operation", name, state, OPERATION_STATES);
      if (!OPERATION_KINDS.includes(kind)) findings.push(unknownKind(name, kind));
      operations.set(name, { name, kind, state, target, createTime, updateTime, version });
      if (requestId === null) return;
      const key = JSON.stringify([actor, requestId]);
      const first = requests.get(key);
      if (first) findings.push(requestTwice(name, first, requestId));
      else requests.set(key, name);
    }),
    ...await readRecords(store.orphans, () => {}),
    ...await readRecords(store.claims, () => {}),
    ...await readRecords(store.leases, () => {}),
    ...await readRecords(store.tokens, () => {}),
    ...await readRecords(store.installations, () => {}),
    ...await readRecords(store.audit, () => {}),
    ...await readRecords(store.auditMarks, () => {}),
    ...await readRecords(store.eventSinks, () => {}),
    ...await readRecords(store.deadLetters, () => {}),
  ];
  findings.push(...unreadable.map(({ name, message }): StorageFinding => ({
    check: "RECORD_UNREADABLE",
    subject: name,
    message,
    remedy: RESTORE,
  })));
  return { environments, workloads, operations, revisions };
}

function unknownFindings(
  kind: ResourceKind,
  name: string,
  state?: string,
  states?: readonly string[],
): readonly StorageFinding[] {
  const problem = parseName(name)?.kind !== kind
    ? `It is kept as ${kind}, which its name is not`
    : states && !states.includes(String(state))
    ? `Its state '${state}' is unknown`
    : undefined;
  return problem === undefined ? [] : [unknown(name, problem)];
}

const unknownKind = (name: string, kind: string): StorageFinding =>
  unknown(name, `Its kind '${kind}' is unknown`);

const misnamedFindings = ({ name, number }: Revision): readonly StorageFinding[] =>
  name.endsWith(`/revisions/${number}`)
    ? []
    : [unknown(name, `Its number is ${number}, which its name is not`)];

const unknown = (subject: string, message: string): StorageFinding => ({
  check: "RECORD_UNKNOWN",
  subject,
  message,
  remedy: "Use the version that wrote it, or a newer one; if none did, restore a backup: " +
    RESTORE,
});

const requestTwice = (subject: string, first: string, requestId: string): StorageFinding => ({
  check: "REQUEST_ID_TWICE",
  subject,
  message: `It has the request id '${requestId}' of '${first}' and of the same caller`,
  remedy: RESTORE,
});

function lockFindings(
  { name, currentOperation, nextOperation, updateTime }: Environment | Workload,
  { operations }: Records,
  now: number,
): readonly StorageFinding[] {
  if (now - updateTime < GRACE_MS) return [];
  return [currentOperation, nextOperation].flatMap((holder) => {
    if (holder === null) return [];
    const operation = operations.get(holder);
    const problem = !operation ? "is not there" : operation.target !== name &&
        // The deletion of an environment holds its workloads too.
        !(operation.kind.startsWith("environment.") && name.startsWith(`${operation.target}/`))
      ? `changes '${operation.target}'`
      : isTerminal(operation.state)
      ? `has ended ${operation.state}`
      : undefined;
    if (problem === undefined) return [];
    const message = `It is held by '${holder}', which ${problem}`;
    return [{ check: "LOCK_WITHOUT_OPERATION" as const, subject: name, message, remedy: JANITOR }];
  });
}

function operationFindings(
  { name, kind, state, target, createTime, updateTime }: OperationFacts,
  { environments, workloads }: Records,
  now: number,
): readonly StorageFinding[] {
  if (isTerminal(state) || now - Math.max(createTime, updateTime) < GRACE_MS) return [];
  // The target of an operation on the platform itself is no resource.
  if (kind.startsWith("platform.")) return [];
  const resource = (environments.get(target) ?? workloads.get(target))?.value;
  if (resource?.currentOperation === name || resource?.nextOperation === name) return [];
  const message = `It is ${state}, but '${target}' ${
    resource ? `is held by '${resource.currentOperation ?? "nothing"}'` : "is not there"
  }`;
  return [{ check: "OPERATION_WITHOUT_LOCK", subject: name, message, remedy: JANITOR }];
}

function workloadFindings(
  { name, activeRevision, lastRevision, currentOperation }: Workload,
  { environments, revisions }: Records,
): readonly StorageFinding[] {
  const found: StorageFinding[] = [];
  const environment = environmentName(environmentIdOf(name));
  const command = `--env ${environmentIdOf(name)}`;
  if (!environments.has(environment)) {
    found.push({
      check: "RECORD_ORPHANED",
      subject: name,
      message: `Its environment '${environment}' is not there`,
      remedy: `mpctl workload delete ${name.split("/").at(-1)} ${command}`,
    });
  }
  const numbers = revisions.get(name) ?? [];
  const highest = Math.max(0, ...numbers);
  const problem = currentOperation === null && activeRevision > 0 &&
      !numbers.includes(activeRevision)
    ? `Its record names revision ${activeRevision}, which is not there`
    : highest > lastRevision
    ? `Its record names ${lastRevision} as its last revision, but there is ${highest}`
    : undefined;
  if (problem !== undefined) {
    found.push({
      check: "REVISIONS_INCOMPLETE",
      subject: name,
      message: problem,
      remedy: `mpctl workload deploy ${name.split("/").at(-1)} ${command} --image IMAGE`,
    });
  }
  return found;
}

/** The newest event of each resource with what it says, and the order of all. */
async function checkEvents(
  store: Store,
  { environments, workloads, operations }: Records,
  findings: StorageFinding[],
): Promise<number> {
  const newest = new Map<string, Event>();
  let [count, last] = [0, await compactedOf(store.events)];
  for await (const events of eventsOf(store.events, last)) {
    for (const event of events) {
      count++;
      if (event.sequence <= last) {
        findings.push({
          check: "LOG_DISORDERED",
          subject: `event ${event.sequence}`,
          message: `It comes after event ${last}`,
          remedy: RESTORE,
        });
      }
      last = event.sequence;
      if (event.resource) newest.set(event.resource.value.name, event);
    }
  }
  for (const [name, { sequence, type, resource }] of newest) {
    if (type === "DELETED" || !resource) continue;
    const stored = environments.get(name) ?? workloads.get(name);
    const version = stored?.version ?? operations.get(name)?.version;
    const problem = version === undefined
      // Operations that were not admitted are removed without an event.
      ? resource.kind === "operation" ? undefined : "it is not there"
      : stored && stored.value.uid !== (resource.value as Environment).uid
      ? "it is another one of the same name"
      : version < resource.version
      ? `its record has version ${version}`
      : undefined;
    if (problem === undefined) continue;
    findings.push({
      check: "EVENTS_AHEAD",
      subject: name,
      message: `Event ${sequence} says that it has version ${resource.version}, but ${problem}`,
      remedy: RESTORE,
    });
  }
  return count;
}

/** Whether the chain of the audit is whole. Records that cannot be read are findings already. */
async function auditFindings({ audit, auditMarks }: Store): Promise<readonly StorageFinding[]> {
  const removed = (await auditMarks.get(AUDIT_REMOVED))?.value;
  const newest = (await auditMarks.get(AUDIT_NEWEST))?.value;
  async function* records() {
    for await (const documents of documentsOf(audit)) yield documents.map(({ value }) => value);
  }
  const { problem } = await verifyAudit(records(), {
    ...(removed && { removed }),
    positions: newest ? [newest] : [],
  });
  return problem
    ? [{
      check: "AUDIT_BROKEN",
      subject: auditRecordName(problem.sequence),
      message: `${problem.kind}: ${problem.message}`,
      remedy:
        "Find out who can write the store; compare with the copy that --audit-log has written",
    }]
    : [];
}

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { getLogger } from "@logtape/logtape";
import { abortedByCaller, type AuditEntry, isMpcError, type Operation } from "@mpc/domain";
import { type Call, codeName, identified, type Interceptor, SOURCE } from "@mpc/process";
import {
  type Audit,
  type AuditedCall,
  type AuditTrail,
  requestedChanges,
  runAudited,
} from "@mpc/services";

const log = getLogger(["mpc", "audit"]);

/** Reads whose responses may have secrets, and reads of the audit itself. */
const AUDITED_READS: ReadonlySet<string> = new Set([
  "mpc.v1.WorkloadService/StreamLogs",
  "mpc.v1.AuditService/ListAuditRecords",
  "mpc.v1.AuditService/WatchAuditRecords",
  "mpc.v1.AuditService/VerifyAuditRecords",
]);

/** Reads of services whose protos do not say that they are. */
const OTHER_READS: ReadonlySet<string> = new Set([
  "google.longrunning.Operations/GetOperation",
  "google.longrunning.Operations/ListOperations",
  "google.longrunning.Operations/WaitOperation",
]);

export const methodPath = (service: DescService, method: DescMethod): string =>
  `${service.typeName}/${method.name}`;

/** Whether a method may change something. */
export const isMutation = (service: DescService, method: DescMethod): boolean =>
  method.methodKind === "unary" && method.idempotency !== Idempotency.NO_SIDE_EFFECTS &&
  !OTHER_READS.has(methodPath(service, method));

/**
 * Records calls in the audit log:
 *
 * - A call that changes something is recorded before its first write, durably, and again with its
 *   result. If the first record cannot be kept, the write is not made and the call is refused. A
 *   process that dies in between leaves the first record.
 * - A mutation that changed nothing is recorded with its result; a dry run only if it is refused.
 * - Reads of logs and of the audit are recorded when they are permitted, before their first response;
 *   if that fails, they are refused.
 * - Every other call is recorded if it is refused for its credentials or a permission.
 */
export function auditCalls({ trail, refusals }: Audit): Interceptor {
  let failing = false;
  /** A record that nothing depends on: the call has ended, whether it is kept or not. */
  const recordEnd = async (record: () => Promise<unknown>, method: string) => {
    try {
      await record();
      failing = false;
    } catch (error) {
      if (!failing) {
        log.error("Cannot keep the audit record of {method}: {error}", { method, error });
      }
      failing = true;
    }
  };
  const change = async (call: Call, next: (call: Call) => Promise<void>) => {
    const audited = new AuditedChange(call, trail);
    const ended = (facts: Pick<AuditEntry, "result" | "reason">) => {
      const entry = { ...audited.entry, ...facts, phase: "COMPLETED" as const };
      const { method } = entry;
      return recordEnd(
        () =>
          audited.wasRequested || facts.result === "OK" ? trail.append(entry) : refusals.add(entry),
        method,
      );
    };
    try {
      await runAudited(audited, () =>
        next({
          ...call,
          send(response) {
            audited.operation = operationIn(response) || audited.operation;
            return call.send(response);
          },
        }));
    } catch (error) {
      if (!isAuditUnavailable(error) && (!audited.isDryRun || isRefusal(error))) {
        await ended(resultOf(error));
      }
      throw error;
    }
    if (audited.wasRequested || !audited.isDryRun) await ended({ result: "OK", reason: "" });
  };
  const refused = async (call: Call, error: unknown): Promise<never> => {
    if (isRefusal(error)) {
      const permission = isMpcError(error) ? error.metadata["permission"] ?? "" : "";
      const entry = { ...entryOf(call), ...resultOf(error), permission };
      await recordEnd(() => refusals.add(entry), entry.method);
    }
    throw error;
  };
  return {
    // Not `async`: most calls are reads that are only recorded if they are refused.
    around(call, next) {
      const kind = kindOf(call);
      if (kind === "change") return change(call, next);
      const ended = kind === "read"
        ? next(call)
        : runAudited(new AuditedRead(call, trail), () => next(call));
      return ended.catch((error) => refused(call, error));
    },
  };
}

type Kind = "change" | "read" | "audited read";

const KINDS = new WeakMap<DescMethod, Kind>();

function kindOf({ service, method }: Call): Kind {
  const known = KINDS.get(method);
  if (known) return known;
  const kind = isMutation(service, method)
    ? "change"
    : AUDITED_READS.has(methodPath(service, method))
    ? "audited read"
    : "read";
  KINDS.set(method, kind);
  return kind;
}

/** A call that may change something. */
class AuditedChange implements AuditedCall {
  readonly isDryRun: boolean;
  readonly #call: Call;
  readonly #trail: AuditTrail;
  #permission = "";
  #requested: Promise<number> | undefined;
  #requestedBy = 0;
  #facts: Pick<AuditEntry, "target" | "changes"> | undefined;
  operation = "";

  constructor(call: Call, trail: AuditTrail) {
    this.#call = call;
    this.#trail = trail;
    this.isDryRun = Reflect.get(call.request, "validateOnly") === true;
  }

  /** Whether the record before the first write was made. */
  get wasRequested(): boolean {
    return this.#requestedBy > 0;
  }

  get entry(): AuditEntry {
    return {
      ...entryOf(this.#call),
      requestedBy: this.#requestedBy,
      permission: this.#permission,
      operation: this.operation,
      ...(this.#facts && { target: this.#facts.target }),
    };
  }

  decided({ permission }: Parameters<AuditedCall["decided"]>[0]): Promise<void> {
    this.#permission = permission;
    return Promise.resolve();
  }

  async beforeWrite(operation: Operation | undefined, isNew: boolean): Promise<void> {
    const { context } = this.#call;
    // What identifies the caller may write too, such as the last use of a token.
    if (!identified(context)) return;
    // An admission that another process outran begins again, with another operation.
    const isNext = operation && isNew && operation.name !== this.operation;
    // The rest of an admission is made, or withdrawn, also when the caller has gone.
    if (this.wasRequested && !isNext) return;
    if (operation && (isNew || this.operation === "")) this.operation = operation.name;
    if (operation && isNew) {
      this.#facts = { target: operation.target, changes: requestedChanges(operation.input) };
    }
    if (isNext || !this.#requested) this.#requested = this.#request();
    const sequence = await unlessAborted(this.#requested, context.signal);
    this.#requestedBy ||= sequence;
  }

  async #request(): Promise<number> {
    const { changes = [] } = this.#facts ?? {};
    const entry = { ...this.entry, phase: "REQUESTED" as const, result: "", changes };
    return (await this.#trail.append(entry)).sequence;
  }
}

/** A call that reads what only some may see. */
class AuditedRead implements AuditedCall {
  readonly #call: Call;
  readonly #trail: AuditTrail;
  /** Long streams ask for their permission again. */
  #recorded: Promise<unknown> | undefined;

  constructor(call: Call, trail: AuditTrail) {
    this.#call = call;
    this.#trail = trail;
  }

  async decided({ permission }: Parameters<AuditedCall["decided"]>[0], granted: boolean) {
    if (!granted) return;
    this.#recorded ??= this.#record(permission);
    await unlessAborted(this.#recorded, this.#call.context.signal);
  }

  #record(permission: string): Promise<unknown> {
    const entry = { ...entryOf(this.#call), permission, result: "OK" };
    return this.#trail.append(entry);
  }

  beforeWrite(): Promise<void> {
    return Promise.resolve();
  }
}

/** What the request and its caller say. */
function entryOf({ service, method, request, context }: Call): AuditEntry {
  const caller = identified(context);
  return {
    phase: "COMPLETED",
    requestedBy: 0,
    actor: cut(caller?.principal ?? ""),
    groups: (caller?.groups ?? []).slice(0, MAX_GROUPS).map(cut),
    source: context.values.get(SOURCE) ?? "",
    method: methodPath(service, method),
    target: cut(targetIn(request)),
    requestId: cut(textIn(request, "requestId")),
    operation: "",
    permission: "",
    changes: [],
    result: "",
    reason: "",
    traceparent: caller?.traceparent ?? "",
    count: 1,
  };
}

const MAX_GROUPS = 50;
const MAX_TEXT = 300;

/** Well-formed, because the hash is over what the store gives back. */
const cut = (text: string): string =>
  (text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`).toWellFormed();

function textIn(message: unknown, field: string): string {
  const value: unknown = typeof message === "object" && message !== null
    ? Reflect.get(message, field)
    : undefined;
  return typeof value === "string" ? value : "";
}

/** The name of the resource that a request is about, whatever its method. */
function targetIn(request: object): string {
  const [parent, environmentId, workloadId, tokenId, cluster] = [
    "parent",
    "environmentId",
    "workloadId",
    "tokenId",
    "cluster",
  ].map((field) => textIn(request, field));
  return textIn(request, "name") ||
    textIn(Reflect.get(request, "environment"), "name") ||
    (parent && (workloadId ? `${parent}/workloads/${workloadId}` : parent)) ||
    (environmentId && `environments/${environmentId}`) || (tokenId && `tokens/${tokenId}`) ||
    (cluster ? `clusters/${cluster}` : "") || textIn(request, "target");
}

/** The name of the operation in a response. */
function operationIn(response: object): string {
  if (textIn(response, "$typeName") === "mpc.v1.Operation") return textIn(response, "name");
  return textIn(Reflect.get(response, "operation"), "name");
}

function resultOf(error: unknown): Pick<AuditEntry, "result" | "reason"> {
  if (isMpcError(error)) return { result: error.code, reason: error.reason };
  if (!(error instanceof ConnectError)) return { result: "INTERNAL", reason: "INTERNAL" };
  return { result: codeName(error.code), reason: "" };
}

const isRefusal = (error: unknown): boolean =>
  ["UNAUTHENTICATED", "PERMISSION_DENIED"].includes(resultOf(error).result);

const isAuditUnavailable = (error: unknown): boolean =>
  isMpcError(error, "UNAVAILABLE") && error.reason === "AUDIT_UNAVAILABLE";

/** @throws {MpcError} CANCELLED `ABORTED_BY_CALLER` as soon as the signal is aborted */
async function unlessAborted<R>(promise: Promise<R>, signal: AbortSignal): Promise<R> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(abortedByCaller("go on", signal.reason));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

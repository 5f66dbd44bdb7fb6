/** How the deletion of an environment claims its workloads' locks, and releases them. */
import { isMpcError, isTerminal, type Residue, type Workload } from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import { pagesOf } from "../resources/read_all.ts";
import { requestCancel } from "./request_cancel.ts";
import { moveWorkload } from "./move_resource.ts";
import type { StepContext } from "./step.ts";
import { workloadEvent } from "../resources/resource_events.ts";
import { updateDocument } from "../resources/update_document.ts";

const PAGE = 200;

/**
 * Claims the lock of every workload of an environment: cancels running operations, waits for them,
 * and holds the locks until the environment's deletion has ended.
 */
export async function claimWorkloads(context: StepContext, environment: string): Promise<void> {
  const { store, signal } = context;
  // Subscribes before the first read, so that no release in between is missed.
  const head = await store.events.head({ signal });
  let waiting = await claimIdle(context, environment);
  if (waiting.length === 0) return;
  for await (const event of store.events.tail(head, signal)) {
    // Skips the many events of other environments. The record of a holder may also be dropped.
    const dropped = event.type === "DELETED" && event.target.startsWith("operations/");
    if (!dropped && !event.target.startsWith(`${environment}/workloads/`)) continue;
    waiting = await claimIdle(context, environment);
    if (waiting.length === 0) return;
  }
  signal.throwIfAborted();
}

/** The workloads of an environment whose locks this operation holds. */
export async function claimedWorkloads(
  context: StepContext,
  environment: string,
): Promise<readonly Stored<Workload>[]> {
  const all = await listWorkloads(context, environment);
  return all.filter(({ value }) => value.currentOperation === context.operation);
}

/**
 * Releases workloads after the deletion has failed, so that they can be deleted or deployed again.
 */
export async function releaseWorkloads(context: StepContext, environment: string): Promise<void> {
  for (const { value } of await claimedWorkloads(context, environment)) {
    await updateDocument(context.store.workloads, value.name, context.signal, (workload) => {
      if (workload.currentOperation !== context.operation) return undefined;
      const released = moveWorkload(workload, "DELETE_FAILED", {
        operation: { name: context.operation, target: context.target, targetUid: "" },
        now: context.now(),
        message: "The deletion of its environment did not finish",
      });
      return {
        value: { ...released, currentOperation: null, lastOperation: context.operation },
        event: { reason: "WorkloadReleased", message: "Its environment's deletion has ended" },
      };
    }, (stored, event) => workloadEvent(stored, { ...event, ...origin(context) }));
  }
}

/** The residue if workloads could not be released. */
export function heldWorkloads(environment: string): Residue {
  return {
    object: `workloads of environments/${environment}`,
    reason: "they are still held by this deletion",
    remedy: `mpctl env delete ${environment} --force`,
  };
}

/** Claims idle workloads, and cancels the operations of the others. @returns names of the others */
async function claimIdle(context: StepContext, environment: string): Promise<readonly string[]> {
  const waiting: string[] = [];
  for (const { value: listed } of await listWorkloads(context, environment)) {
    if (listed.currentOperation === context.operation) continue;
    const claimed = await claim(context, listed.name);
    if (!claimed) waiting.push(listed.name);
  }
  if (waiting.length > 0) context.heartbeat(`stopping what runs on ${waiting.join(", ")}`);
  return waiting;
}

async function claim(context: StepContext, name: string): Promise<boolean> {
  const { store, signal, operation, actor } = context;
  const holder = (await store.workloads.get(name, { signal }))?.value.currentOperation ?? null;
  if (holder !== null && holder !== operation) {
    const holding = await store.operations.get(holder, { signal });
    if (holding && !isTerminal(holding.value.state)) {
      await requestCancel(store, holder, {
        actor,
        reason: `preempted by ${operation}`,
        time: context.now(),
      }, signal);
      return false;
    }
  }
  try {
    await updateDocument(store.workloads, name, signal, (workload) => {
      if (workload.currentOperation === operation) return undefined;
      // A queued deletion gets its turn first; then it is cancelled like any other operation.
      if (workload.currentOperation !== holder || workload.nextOperation !== null) return undefined;
      const held = moveWorkload(workload, "DELETING", {
        operation: { name: operation, target: context.target, targetUid: "" },
        now: context.now(),
        message: "Its environment is being deleted",
      });
      return {
        value: { ...held, currentOperation: operation, nextOperation: null },
        event: { reason: "WorkloadClaimed", message: "Its environment is being deleted" },
      };
    }, (stored, event) => workloadEvent(stored, { ...event, ...origin(context) }));
  } catch (error) {
    if (isMpcError(error, "NOT_FOUND")) return true;
    throw error;
  }
  const now = await store.workloads.get(name, { signal });
  return now === undefined || now.value.currentOperation === operation;
}

async function listWorkloads(
  context: StepContext,
  environment: string,
): Promise<readonly Stored<Workload>[]> {
  const { store, signal } = context;
  const all: Stored<Workload>[] = [];
  const query = { prefix: `${environment}/workloads/`, limit: PAGE, signal };
  for await (const page of pagesOf(store.workloads, query)) all.push(...page);
  return all;
}

function origin(context: StepContext) {
  return { operation: context.operation, actor: context.actor, time: context.now() };
}

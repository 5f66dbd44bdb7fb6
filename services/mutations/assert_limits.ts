import { MpcError, type Operation } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";

/** The state of every operation that has not ended. */
const LIVE = { op: "=", path: ["endTime"], value: null } as const;

/**
 * Checks the limits of the caller as if the operation were admitted. An admission does it twice:
 * before the operation is recorded, and again when it is, so that of several at the same time no
 * more are admitted than the limit; at the limit, all of them may be refused.
 * @throws {MpcError} RESOURCE_EXHAUSTED `OPERATION_LIMIT` or `ENVIRONMENT_LIMIT`
 */
export async function assertLimits(
  { store, limitsOf }: ServiceDeps,
  caller: Caller,
  operation: Operation,
): Promise<void> {
  if (!limitsOf || caller.kind === "system") return;
  const { operations, environments } = limitsOf(caller);
  if (operations !== null) {
    const used = await otherLiveOperations(store, operation);
    if (used >= operations) throw operationLimit(operation, used, operations);
  }
  if (environments !== null && operation.kind === "environment.create") {
    const used = await otherEnvironments(store, operation, environments);
    if (used >= environments) throw environmentLimit(operation, used, environments);
  }
}

function otherLiveOperations(store: Store, { name, actor }: Operation): Promise<number> {
  return store.operations.count({
    filter: {
      op: "and",
      terms: [LIVE, { op: "=", path: ["actor"], value: actor }, {
        op: "!=",
        path: ["name"],
        value: name,
      }],
    },
  });
}

/** Environments that a principal has, and those that it is about to have, without the one created. */
async function otherEnvironments(
  store: Store,
  { actor, target }: Operation,
  limit: number,
): Promise<number> {
  const existing = await store.environments.list({
    filter: { op: "=", path: ["creator"], value: actor },
    limit: limit + 1,
  });
  const creating = await store.operations.list({
    filter: {
      op: "and",
      terms: [LIVE, { op: "=", path: ["actor"], value: actor }, {
        op: "=",
        path: ["kind"],
        value: "environment.create",
      }],
    },
    limit: limit + 1,
  });
  const names = new Set([
    ...existing.items.map(({ value }) => value.name),
    ...creating.items.map(({ value }) => value.target),
  ]);
  names.delete(target);
  return names.size;
}

function operationLimit(operation: Operation, used: number, limit: number): MpcError {
  const { kind, target, actor } = operation;
  return new MpcError("RESOURCE_EXHAUSTED", {
    reason: "OPERATION_LIMIT",
    message: `Cannot admit ${kind} of '${target}': '${actor}' has ${used} unfinished operations, ` +
      `and may have ${limit}; wait until one has ended, or cancel one`,
    metadata: { limit: String(limit), used: String(used), principal: actor },
  });
}

function environmentLimit(operation: Operation, used: number, limit: number): MpcError {
  const { kind, target, actor } = operation;
  return new MpcError("RESOURCE_EXHAUSTED", {
    reason: "ENVIRONMENT_LIMIT",
    message: `Cannot admit ${kind} of '${target}': '${actor}' has created ${used} environments ` +
      `that are there, and may have ${limit}; delete one first`,
    retryable: false,
    metadata: { limit: String(limit), used: String(used), principal: actor },
  });
}

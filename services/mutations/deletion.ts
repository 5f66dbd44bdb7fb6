/** Shared code of the deletions of environments and workloads. */
import {
  type Environment,
  isMpcError,
  MpcError,
  type OperationKind,
  type Workload,
} from "@mpc/domain";
import { assertIdle, type Lock, type Prepared } from "./admit.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { type Method, mutate, type MutationOptions, type MutationResult } from "./mutate.ts";
import { recordNoChange } from "./record_no_change.ts";

/** A deletion cancels the running operation and waits behind it. */
export function deletionLock(resource: Environment | Workload): Lock {
  return resource.currentOperation === null ? "take" : "queue";
}

/**
 * A deletion preempts every operation except another deletion. An abandoning deletion preempts that
 * too, unless it is the deletion of the workload's environment.
 * @throws {MpcError} ABORTED `OPERATION_IN_PROGRESS`
 */
export async function assertDeletable(
  deps: ServiceDeps,
  resource: Environment | Workload,
  action: string,
  abandon: boolean,
): Promise<void> {
  if (resource.nextOperation !== null) assertIdle(resource, action);
  if (resource.currentOperation === null) return;
  const holder = await deps.store.operations.get(resource.currentOperation);
  if (!holder) return;
  const { kind, target } = holder.value;
  // The deletion of an environment holds its workloads; deleting one of them must not stop it.
  const foreign = target !== resource.name;
  if (foreign || kind.endsWith(".abandon") || (kind.endsWith(".delete") && !abandon)) {
    assertIdle(resource, action);
  }
}

/** Signals through `mutate` that there is nothing to delete. */
class NothingToDelete extends MpcError<"NOT_FOUND"> {}

/**
 * Like `mutate`. If `prepare` finds nothing to delete and that is allowed (`allow_missing`,
 * AIP-135), the result is an operation that has already succeeded.
 */
export async function mutateDeletion(
  deps: ServiceDeps,
  caller: Caller,
  options: MutationOptions,
  method: Method & { readonly body: { readonly name: string } },
  kind: OperationKind,
  prepare: () => Promise<Prepared | undefined>,
): Promise<MutationResult> {
  for (;;) {
    try {
      return await mutate(deps, caller, options, method, async () => {
        const prepared = await prepare();
        if (prepared) return prepared;
        throw new NothingToDelete("NOT_FOUND", {
          reason: "NO_SUCH_DOCUMENT",
          message: `Cannot delete '${method.body.name}': there is no such resource`,
        });
      });
    } catch (error) {
      if (!(error instanceof NothingToDelete)) throw error;
    }
    try {
      return await recordNoChange(deps, caller, options, kind, method);
    } catch (error) {
      // The same request was recorded in the meantime: the next round finds its operation.
      const taken = isMpcError(error, "ALREADY_EXISTS") && error.reason === "REQUEST_ID_TAKEN";
      if (!taken) throw error;
    }
  }
}

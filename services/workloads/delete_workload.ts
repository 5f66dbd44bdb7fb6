import { environmentIdOf, etagOf, idOf } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import { assertDeletable, deletionLock, mutateDeletion } from "../mutations/deletion.ts";
import type { ServiceDeps } from "../deps.ts";
import type { MutationOptions, MutationResult } from "../mutations/mutate.ts";
import { assertEtag, assertName, notFound } from "../resources/preconditions.ts";

export interface DeleteWorkloadRequest extends MutationOptions {
  readonly name: string;
  readonly etag: string;
  /** Succeeds if there is no such workload. */
  readonly allowMissing: boolean;
  /** Deletes the record without waiting for the cluster. */
  readonly abandon: boolean;
  /** Null for the default. */
  readonly timeoutMs: number | null;
}

const ACTION = "delete workload";

/**
 * Deletes a workload; a running operation on it is stopped first.
 * @throws {MpcError} NOT_FOUND `WORKLOAD_NOT_FOUND`, ABORTED `ETAG_MISMATCH`, ABORTED
 *   `OPERATION_IN_PROGRESS` if it is already being deleted, and what `mutate` throws
 */
export function deleteWorkload(
  deps: ServiceDeps,
  caller: Caller,
  request: DeleteWorkloadRequest,
): Promise<MutationResult> {
  const { name, etag, allowMissing, abandon, timeoutMs } = request;
  assertName("workload", name, ACTION);
  const method = {
    name: "DeleteWorkload",
    body: { name, etag, allowMissing, abandon, timeoutMs },
    access: { permission: "workloads.delete", resource: name },
  } as const;
  return mutateDeletion(deps, caller, request, method, "workload.delete", async () => {
    const current = await deps.store.workloads.get(name, { signal: caller.signal });
    if (!current) {
      if (!allowMissing) throw notFound("workload", name, ACTION);
      assertEtag(etag, null, name, ACTION);
      return undefined;
    }
    const { value, version } = current;
    assertEtag(etag, etagOf(value.uid, version), name, ACTION);
    await assertDeletable(deps, value, ACTION, abandon);
    return {
      kind: abandon ? "workload.abandon" : "workload.delete",
      target: name,
      targetUid: value.uid,
      input: { environment: environmentIdOf(name), workload: idOf(name), uid: value.uid },
      current,
      lock: deletionLock(value),
      timeoutMs,
    };
  });
}

import { type Environment, type EnvironmentState, etagOf, idOf, MpcError } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import { assertDeletable, deletionLock } from "../mutations/deletion.ts";
import type { ServiceDeps } from "../deps.ts";
import { type MutationOptions, type MutationResult } from "../mutations/mutate.ts";
import { mutateDeletion } from "../mutations/deletion.ts";
import { assertEtag, assertName, notFound } from "../resources/preconditions.ts";

export interface DeleteEnvironmentRequest extends MutationOptions {
  readonly name: string;
  readonly etag: string;
  /** Also deletes the workloads inside. */
  readonly force: boolean;
  /** Succeeds if there is no such environment. */
  readonly allowMissing: boolean;
  /** Deletes the record without waiting for the cluster. */
  readonly abandon: boolean;
  /** Null for the default. */
  readonly timeoutMs: number | null;
}

const ACTION = "delete environment";

/**
 * Deletes an environment; running operations on it are stopped first.
 * @throws {MpcError} NOT_FOUND `ENVIRONMENT_NOT_FOUND`, ABORTED `ETAG_MISMATCH`,
 *   FAILED_PRECONDITION `DELETION_PROTECTED` or `ENVIRONMENT_NOT_EMPTY`, ABORTED
 *   `OPERATION_IN_PROGRESS` if it is already being deleted, and what `mutate` throws
 */
export function deleteEnvironment(
  deps: ServiceDeps,
  caller: Caller,
  request: DeleteEnvironmentRequest,
): Promise<MutationResult> {
  const { name, etag, force, allowMissing, abandon, timeoutMs } = request;
  assertName("environment", name, ACTION);
  const method = {
    name: "DeleteEnvironment",
    body: { name, etag, force, allowMissing, abandon, timeoutMs },
    access: { permission: "environments.delete", resource: name },
  } as const;
  return mutateDeletion(deps, caller, request, method, "environment.delete", async () => {
    const current = await deps.store.environments.get(name, { signal: caller.signal });
    if (!current) {
      if (!allowMissing) throw notFound("environment", name, ACTION);
      assertEtag(etag, null, name, ACTION);
      return undefined;
    }
    const { value, version } = current;
    assertEtag(etag, etagOf(value.uid, version), name, ACTION);
    if (isProtected(value)) {
      throw new MpcError("FAILED_PRECONDITION", {
        reason: "DELETION_PROTECTED",
        message: `Cannot ${ACTION} '${
          idOf(name)
        }': it is protected; take that away with 'mpctl env update ${idOf(name)} --no-protect'`,
        metadata: { environment: name },
      });
    }
    if (!force) await assertEmpty(deps, caller, name);
    await assertDeletable(deps, value, ACTION, abandon);
    return {
      kind: abandon ? "environment.abandon" : "environment.delete",
      target: name,
      targetUid: value.uid,
      input: { environment: idOf(name), uid: value.uid },
      current,
      lock: deletionLock(value),
      timeoutMs,
    };
  });
}

/**
 * Protection applies to environments in use: not to one that was never created, and not to one
 * whose deletion has begun. If that deletion stopped an update that removed the protection, the
 * record says that it is protected again.
 */
function isProtected({ deletionProtection, state }: Environment): boolean {
  return deletionProtection && !UNUSED.has(state);
}

const UNUSED: ReadonlySet<EnvironmentState> = new Set([
  "CREATE_FAILED",
  "DELETING",
  "DELETE_FAILED",
]);

async function assertEmpty(deps: ServiceDeps, caller: Caller, name: string): Promise<void> {
  const count = await deps.store.workloads.count({
    prefix: `${name}/workloads/`,
    signal: caller.signal,
  });
  if (count === 0) return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "ENVIRONMENT_NOT_EMPTY",
    message: `Cannot ${ACTION} '${idOf(name)}': it has ${count} workload${
      count === 1 ? "" : "s"
    }; delete them first, or use --force`,
    metadata: { environment: name, workloads: String(count) },
  });
}

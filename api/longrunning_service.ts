import { create } from "@bufbuild/protobuf";
import { type Any, anyPack, EmptySchema } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type ErrorRecord,
  idOf,
  invalidArgument,
  isMpcError,
  isTerminal,
  MpcError,
  type Operation,
} from "@mpc/domain";
import { callerOf } from "@mpc/process";
import {
  EnvironmentSchema,
  type LongRunningOperation,
  type LongRunningOperations,
  LongRunningOperationSchema,
  LongRunningOperationsPageSchema,
  OperationSchema,
  WorkloadSchema,
} from "@mpc/proto";
import {
  type Caller,
  cancelOperation,
  getEnvironment,
  getOperation,
  getWorkload,
  listOperations,
  type ServiceDeps,
  type Stored,
  waitOperation,
} from "@mpc/services";
import { toStatus } from "./error_codes.ts";
import { toEnvironment } from "./mapping/environment_mapping.ts";
import { toOperation } from "./mapping/operation_mapping.ts";
import { toWorkload } from "./mapping/workload_mapping.ts";
import { waitMs } from "./operation_service.ts";

/** The collection of all operations, which is the only one. */
const COLLECTION = "operations";

const LIST = "list operations";

/** The operations of the platform for generic clients (AIP-151, google.longrunning). */
export function longrunningService(
  deps: ServiceDeps,
): ServiceImpl<typeof LongRunningOperations> {
  return {
    async getOperation({ name }, context) {
      const caller = callerOf(context);
      return await toLongRunning(deps, caller, await getOperation(deps, caller, name));
    },
    async listOperations(request, context) {
      assertCollection(request.name);
      assertWhole(request.returnPartialSuccess);
      const caller = callerOf(context);
      const { items, nextPageToken } = await listOperations(deps, caller, {
        ...request,
        orderBy: "",
      });
      const operations = await Promise.all(
        items.map((item) => toLongRunning(deps, caller, item)),
      );
      return create(LongRunningOperationsPageSchema, { operations, nextPageToken });
    },
    async waitOperation({ name, timeout }, context) {
      const caller = callerOf(context);
      const stored = await waitOperation(deps, caller, name, waitMs(timeout, context));
      return await toLongRunning(deps, caller, stored);
    },
    async cancelOperation({ name }, context) {
      await cancelOperation(deps, callerOf(context), { name, reason: "", validateOnly: false });
      return create(EmptySchema);
    },
    deleteOperation({ name }) {
      throw new MpcError("UNIMPLEMENTED", {
        reason: "OPERATIONS_ARE_KEPT",
        message: `Cannot delete operation '${idOf(name)}': operations are the platform's record ` +
          "of changes and are deleted when they are older than --retention; to stop one, cancel it",
      });
    },
  };
}

/** An operation with our own as its metadata, and how it ended. */
async function toLongRunning(
  deps: ServiceDeps,
  caller: Caller,
  stored: Stored<Operation>,
): Promise<LongRunningOperation> {
  const { value } = stored;
  const done = isTerminal(value.state);
  return create(LongRunningOperationSchema, {
    name: value.name,
    metadata: anyPack(OperationSchema, toOperation(stored)),
    done,
    ...(done && { result: await resultOf(deps, caller, value) }),
  });
}

async function resultOf(
  deps: ServiceDeps,
  caller: Caller,
  operation: Operation,
): Promise<LongRunningOperation["result"]> {
  if (operation.state === "SUCCEEDED") {
    return { case: "response", value: await responseOf(deps, caller, operation) };
  }
  return { case: "error", value: toStatus(operation.error ?? cancelled(operation)) };
}

/**
 * The resource as it is now, where the operation was to leave one. Of one that is gone, or that the
 * caller may not read, only what the operation itself knows.
 */
async function responseOf(deps: ServiceDeps, caller: Caller, operation: Operation): Promise<Any> {
  const { kind, target: name, targetUid: uid } = operation;
  switch (kind) {
    case "environment.create":
    case "environment.update": {
      const found = await readable(getEnvironment(deps, caller, name), uid);
      const environment = found ? toEnvironment(found) : create(EnvironmentSchema, { name, uid });
      return anyPack(EnvironmentSchema, environment);
    }
    case "workload.deploy": {
      const found = await readable(getWorkload(deps, caller, name), uid);
      const workload = found ? toWorkload(found) : create(WorkloadSchema, { name, uid });
      return anyPack(WorkloadSchema, workload);
    }
    case "environment.delete":
    case "environment.abandon":
    case "workload.delete":
    case "workload.abandon":
    case "platform.sweep":
    case "platform.claim":
      return anyPack(EmptySchema, create(EmptySchema));
  }
}

/** A resource, unless it is gone, another one has its name now, or the caller may not read it. */
async function readable<T extends { readonly uid: string }>(
  reading: Promise<Stored<T>>,
  uid: string,
): Promise<Stored<T> | undefined> {
  try {
    const stored = await reading;
    return stored.value.uid === uid ? stored : undefined;
  } catch (error) {
    if (isMpcError(error, "NOT_FOUND", "PERMISSION_DENIED")) return undefined;
    throw error;
  }
}

/** Why a cancelled operation has no result; its record holds no error. */
function cancelled({ name, cancellation }: Operation): ErrorRecord {
  const { actor = "", reason = "" } = cancellation ?? {};
  return {
    code: "CANCELLED",
    reason: "OPERATION_CANCELLED",
    message: `Operation '${idOf(name)}' was cancelled by ${actor}: ${reason}`,
    retryable: false,
    metadata: { operation: name, actor },
    causes: [],
  };
}

/** Checks that a list is of the collection that there is; some clients leave it out. */
function assertCollection(name: string): void {
  if (name === "" || name === COLLECTION) return;
  throw invalidArgument(LIST, [{
    field: "name",
    value: name.slice(0, 100),
    rule: "COLLECTION",
    hint: `must be '${COLLECTION}'`,
  }]);
}

/** Refuses partial answers, as `google.longrunning` asks of servers whose lists are whole. */
function assertWhole(returnPartialSuccess: boolean): void {
  if (!returnPartialSuccess) return;
  throw new MpcError("UNIMPLEMENTED", {
    reason: "PARTIAL_SUCCESS_UNSUPPORTED",
    message:
      `Cannot ${LIST} in part: leave return_partial_success out, all of them are in one list`,
  });
}

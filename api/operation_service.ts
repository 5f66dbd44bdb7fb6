import { create } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { callerOf } from "@mpc/process";
import {
  CancelOperationResponseSchema,
  ExplainOperationResponseSchema,
  ListOperationsResponseSchema,
  OperationSchema,
  type OperationService,
} from "@mpc/proto";
import {
  cancelOperation,
  explainOperation,
  getOperation,
  listOperations,
  retryOperation,
  type ServiceDeps,
  waitOperation,
  watchOperation,
} from "@mpc/services";
import { toMutationAnswer, toOperation } from "./mapping/operation_mapping.ts";
import { readMask } from "./mapping/read_mask.ts";
import { fromDuration } from "./mapping/values.ts";

const DEFAULT_WAIT_MS = 300_000;

/** Time that is reserved before a call's deadline for returning the operation's state. */
const MARGIN_MS = 200;

/** How long a call waits: as it asks for, and so that the answer is there by its deadline. */
export function waitMs(
  timeout: Duration | undefined,
  context: Pick<HandlerContext, "timeoutMs">,
): number {
  const wanted = fromDuration(timeout) ?? DEFAULT_WAIT_MS;
  const left = context.timeoutMs();
  return left === undefined ? wanted : Math.min(wanted, Math.max(0, left - MARGIN_MS));
}

/** The operation methods of the API. */
export function operationService(deps: ServiceDeps): ServiceImpl<typeof OperationService> {
  return {
    async getOperation({ name }, context) {
      return toOperation(await getOperation(deps, callerOf(context), name));
    },
    async listOperations(request, context) {
      const mask = readMask(OperationSchema, request.readMask, "list operations");
      const { items, nextPageToken } = await listOperations(deps, callerOf(context), request);
      return create(ListOperationsResponseSchema, {
        operations: items.map((item) => mask(toOperation(item))),
        nextPageToken,
      });
    },
    async waitOperation({ name, timeout }, context) {
      const caller = callerOf(context);
      return toOperation(await waitOperation(deps, caller, name, waitMs(timeout, context)));
    },
    async *watchOperation({ name }, context) {
      for await (const stored of watchOperation(deps, callerOf(context), name)) {
        yield toOperation(stored);
      }
    },
    async cancelOperation(request, context) {
      const result = await cancelOperation(deps, callerOf(context), request);
      return create(CancelOperationResponseSchema, {
        operation: toOperation(result.operation),
        undoneSteps: [...result.undoneSteps],
        keptSteps: [...result.keptSteps],
        outcome: result.outcome,
      });
    },
    async retryOperation(request, context) {
      return toMutationAnswer(await retryOperation(deps, callerOf(context), request));
    },
    async explainOperation({ name }, context) {
      const explanation = await explainOperation(deps, callerOf(context), name);
      return create(ExplainOperationResponseSchema, {
        ...explanation,
        causes: explanation.causes.map((cause) => ({ ...cause })),
      });
    },
  };
}

import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { callerOf } from "@mpc/process";
import {
  CancelOperationResponseSchema,
  ExplainOperationResponseSchema,
  ListOperationsResponseSchema,
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
import { fromDuration } from "./mapping/values.ts";

const DEFAULT_WAIT_MS = 300_000;

/** Time that is reserved before a call's deadline for returning the operation's state. */
const MARGIN_MS = 200;

/** The operation methods of the API. */
export function operationService(deps: ServiceDeps): ServiceImpl<typeof OperationService> {
  return {
    async getOperation({ name }, context) {
      return toOperation(await getOperation(deps, callerOf(context), name));
    },
    async listOperations(request, context) {
      const { items, nextPageToken } = await listOperations(deps, callerOf(context), request);
      return create(ListOperationsResponseSchema, {
        operations: items.map(toOperation),
        nextPageToken,
      });
    },
    async waitOperation({ name, timeout }, context) {
      const wanted = fromDuration(timeout) ?? DEFAULT_WAIT_MS;
      const left = context.timeoutMs();
      const ms = left === undefined ? wanted : Math.min(wanted, Math.max(0, left - MARGIN_MS));
      return toOperation(await waitOperation(deps, callerOf(context), name, ms));
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

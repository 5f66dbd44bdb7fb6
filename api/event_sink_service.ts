import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { DeadLetter as StoredLetter } from "@mpc/domain";
import { callerOf } from "@mpc/process";
import {
  type DeadLetter,
  DeadLetterSchema,
  type EventSink,
  EventSinkSchema,
  type EventSinkService,
  EventSinkState,
  ListDeadLettersResponseSchema,
  ListEventSinksResponseSchema,
  ResendDeadLettersResponseSchema,
} from "@mpc/proto";
import {
  listDeadLetters,
  listEventSinks,
  resendDeadLetters,
  type ServiceDeps,
  type SinkStatus,
} from "@mpc/services";
import { toEvent } from "./mapping/event_mapping.ts";
import { toTimestamp } from "./mapping/values.ts";

/** The methods of event sinks. */
export function eventSinkService(deps: ServiceDeps): ServiceImpl<typeof EventSinkService> {
  return {
    async listEventSinks(request, context) {
      const { items, nextPageToken } = await listEventSinks(deps, callerOf(context), request);
      return create(ListEventSinksResponseSchema, { eventSinks: items.map(toSink), nextPageToken });
    },
    async listDeadLetters(request, context) {
      const { items, nextPageToken } = await listDeadLetters(deps, callerOf(context), request);
      const deadLetters = items.map(({ value }) => toDeadLetter(value));
      return create(ListDeadLettersResponseSchema, { deadLetters, nextPageToken });
    },
    async resendDeadLetters(request, context) {
      const count = await resendDeadLetters(deps, callerOf(context), request);
      return create(ResendDeadLettersResponseSchema, { count });
    },
  };
}

function toSink({ sink, deadLetters, lagMs }: SinkStatus): EventSink {
  const { name, origin, filter, state, position, lastError } = sink;
  const { nextAttemptTime, lastDeliveryTime } = sink;
  return create(EventSinkSchema, {
    ...{ name, origin, filter, deadLetters },
    state: EventSinkState[state],
    position: BigInt(position),
    lag: durationFromMs(lagMs),
    ...(lastError && {
      lastError: lastError.message,
      lastErrorTime: toTimestamp(lastError.time),
    }),
    ...(nextAttemptTime !== null && { nextAttemptTime: toTimestamp(nextAttemptTime) }),
    ...(lastDeliveryTime !== null && { lastDeliveryTime: toTimestamp(lastDeliveryTime) }),
  });
}

function toDeadLetter(letter: StoredLetter): DeadLetter {
  const { name, event, attempts, error, createTime, resendTime } = letter;
  return create(DeadLetterSchema, {
    name,
    event: toEvent(event),
    attempts,
    status: error.status,
    error: error.message,
    createTime: toTimestamp(createTime),
    ...(resendTime !== null && { resendTime: toTimestamp(resendTime) }),
  });
}

import {
  DEAD_LETTER_FIELDS,
  type DeadLetter,
  deadLettersOf,
  EVENT_SINK_FIELDS,
  type EventSink,
  isMpcError,
  LIST_ORDERS,
  MpcError,
} from "@mpc/domain";
import type { Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { listPage, type ListRequest, type ListResult } from "../resources/list_page.ts";
import { pagesOf } from "../resources/read_all.ts";

/** A sink, and what its document does not have. */
export interface SinkStatus {
  readonly sink: EventSink;
  readonly deadLetters: number;
  /** How old the oldest event after the position is; 0 if there is none. */
  readonly lagMs: number;
}

/** @throws {MpcError} PERMISSION_DENIED, and what {@linkcode listPage} throws */
export async function listEventSinks(
  { store, clock, authorizer }: ServiceDeps,
  caller: Caller,
  request: ListRequest,
): Promise<{ readonly items: readonly SinkStatus[]; readonly nextPageToken: string }> {
  await authorizer.authorize(caller, { permission: "eventSinks.get", resource: null });
  const { signal } = caller;
  const now = clock.now();
  const page = await listPage(
    {
      ...{ collection: store.eventSinks, now, fields: EVENT_SINK_FIELDS, visible: null },
      ...{
        prefix: "",
        orders: LIST_ORDERS.eventSinks,
        defaultOrder: [],
        action: "list event sinks",
      },
    },
    caller,
    request,
  );
  const items = await Promise.all(page.items.map(async ({ value: sink }) => ({
    sink,
    deadLetters: await store.deadLetters.count({ prefix: deadLettersOf(sink.name), signal }),
    lagMs: Math.max(0, now - await nextTime(sink, now)),
  })));
  return { items, nextPageToken: page.nextPageToken };

  /** When the first event after the position happened. */
  async function nextTime({ position }: EventSink, none: number): Promise<number> {
    try {
      return (await store.events.read(position, 1, { signal }))[0]?.time ?? none;
    } catch (error) {
      if (!isMpcError(error, "OUT_OF_RANGE")) throw error;
      const from = Number(error.metadata["compacted"] ?? 0);
      return (await store.events.read(from, 1, { signal }))[0]?.time ?? none;
    }
  }
}

/** @throws {MpcError} NOT_FOUND `EVENT_SINK_NOT_FOUND`, PERMISSION_DENIED, and of {@linkcode listPage} */
export async function listDeadLetters(
  deps: ServiceDeps,
  caller: Caller,
  request: ListRequest & { readonly parent: string },
): Promise<ListResult<DeadLetter>> {
  const { store, clock, authorizer } = deps;
  await authorizer.authorize(caller, { permission: "eventSinks.get", resource: null });
  await assertSink(deps, caller, request.parent);
  return await listPage(
    {
      ...{ collection: store.deadLetters, now: clock.now(), fields: DEAD_LETTER_FIELDS },
      ...{ prefix: deadLettersOf(request.parent), defaultOrder: [], visible: null },
      ...{ orders: LIST_ORDERS.deadLetters, action: "list dead letters" },
    },
    caller,
    request,
  );
}

/**
 * Asks the process that delivers to send dead letters again.
 * @param request.names empty for all of the sink
 * @returns how many are sent again
 * @throws {MpcError} NOT_FOUND `EVENT_SINK_NOT_FOUND`, `DEAD_LETTER_NOT_FOUND`; PERMISSION_DENIED
 */
export async function resendDeadLetters(
  deps: ServiceDeps,
  caller: Caller,
  { parent, names }: { readonly parent: string; readonly names: readonly string[] },
): Promise<number> {
  const { store: { deadLetters }, clock, authorizer } = deps;
  const { signal } = caller;
  await authorizer.authorize(caller, { permission: "eventSinks.resend", resource: null });
  await assertSink(deps, caller, parent);
  const prefix = deadLettersOf(parent);
  const asked: Stored<DeadLetter>[] = [];
  for (const name of new Set(names)) {
    const found = name.startsWith(prefix) ? await deadLetters.get(name, { signal }) : undefined;
    if (!found) {
      throw new MpcError("NOT_FOUND", {
        reason: "DEAD_LETTER_NOT_FOUND",
        message: `Cannot send '${name.slice(0, 200)}' again: '${parent}' has no such dead letter`,
      });
    }
    asked.push(found);
  }
  if (names.length === 0) {
    for await (const page of pagesOf(deadLetters, { prefix, limit: 100, signal })) {
      asked.push(...page);
    }
  }
  let count = 0;
  for (const { value, version } of asked) {
    try {
      await deadLetters.replace({ ...value, resendTime: clock.now() }, version, { signal });
      count++;
    } catch (error) {
      // It was delivered or asked for meanwhile.
      if (!isMpcError(error, "NOT_FOUND", "ABORTED")) throw error;
    }
  }
  return count;
}

async function assertSink({ store }: ServiceDeps, caller: Caller, name: string): Promise<void> {
  if (await store.eventSinks.get(name, { signal: caller.signal })) return;
  throw new MpcError("NOT_FOUND", {
    reason: "EVENT_SINK_NOT_FOUND",
    message: `Cannot find the event sink '${name.slice(0, 200)}'`,
  });
}

import {
  adviceFor,
  type Event,
  isMpcError,
  isTerminal,
  type NewEvent,
  type Operation,
} from "@mpc/domain";
import type { Collection, EventLog, Store, WriteOptions } from "@mpc/storage";
import type { Metrics } from "./metrics.ts";

/**
 * Decorates a store of any kind so that its calls are measured, and what this process writes is
 * counted: events, and the ends of operations. Each of these is one write of one process, so the sum
 * over all processes is true.
 */
export function meteredStore(store: Store, metrics: Metrics): Store {
  const collection = <T extends { readonly name: string }>(name: string, inner: Collection<T>) =>
    meteredCollection(name, inner, metrics);
  const operations = collection("operations", store.operations);
  return {
    ...store,
    environments: collection("environments", store.environments),
    workloads: collection("workloads", store.workloads),
    revisions: collection("revisions", store.revisions),
    operations: {
      ...operations,
      findByRequestId: timed(
        metrics,
        { collection: "operations", method: "find_by_request_id" },
        (...call: Parameters<Store["operations"]["findByRequestId"]>) =>
          store.operations.findByRequestId(...call),
      ),
      async replace(value, version, options) {
        const stored = await operations.replace(value, version, options);
        if (endsHere(options?.events)) countEnd(metrics, stored.value);
        return stored;
      },
    },
    orphans: collection("orphans", store.orphans),
    claims: collection("claims", store.claims),
    leases: collection("leases", store.leases),
    tokens: collection("tokens", store.tokens),
    auditMarks: collection("audit_marks", store.auditMarks),
    eventSinks: collection("event_sinks", store.eventSinks),
    deadLetters: collection("dead_letters", store.deadLetters),
    installations: collection("installations", store.installations),
    events: meteredLog(store.events, metrics),
  };
}

type Labels = { readonly collection: string; readonly method: string };

/** Measures the calls of a function, with the code of its errors as their outcome. */
function timed<A extends unknown[], R>(
  metrics: Metrics,
  labels: Labels,
  call: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  const succeeded = metrics.storageSeconds.labels({ ...labels, outcome: "OK" });
  return async (...args) => {
    const startTime = performance.now();
    const seconds = () => (performance.now() - startTime) / 1_000;
    try {
      const result = await call(...args);
      succeeded.observe(seconds());
      return result;
    } catch (error) {
      const outcome = isMpcError(error) ? error.code : "UNKNOWN";
      metrics.storageSeconds.labels({ ...labels, outcome }).observe(seconds());
      throw error;
    }
  };
}

function meteredCollection<T extends { readonly name: string }>(
  name: string,
  inner: Collection<T>,
  metrics: Metrics,
): Collection<T> {
  const measured = <A extends unknown[], R>(method: string, call: (...args: A) => Promise<R>) =>
    timed(metrics, { collection: name, method }, call);
  const written = <A extends unknown[], R>(
    method: string,
    optionsOf: (args: A) => WriteOptions | undefined,
    call: (...args: A) => Promise<R>,
  ) => {
    const write = measured(method, call);
    return async (...args: A) => {
      const result = await write(...args);
      countEvents(metrics, optionsOf(args)?.events);
      return result;
    };
  };
  return {
    create: written("create", ([, options]) => options, (...call) => inner.create(...call)),
    get: measured("get", (...call) => inner.get(...call)),
    list: measured("list", (...call) => inner.list(...call)),
    count: measured("count", (...call) => inner.count(...call)),
    replace: written("replace", ([, , options]) => options, (...call) => inner.replace(...call)),
    delete: written("delete", ([, , options]) => options, (...call) => inner.delete(...call)),
    ...(inner.load && { load: (documents) => inner.load!(documents) }),
  };
}

function meteredLog(inner: EventLog, metrics: Metrics): EventLog {
  const measured = <A extends unknown[], R>(method: string, call: (...args: A) => Promise<R>) =>
    timed(metrics, { collection: "events", method }, call);
  const append = measured(
    "append",
    (...call: Parameters<EventLog["append"]>) => inner.append(...call),
  );
  return {
    async append(events, options) {
      await append(events, options);
      countEvents(metrics, events);
    },
    head: measured("head", (...call) => inner.head(...call)),
    read: measured("read", (...call) => inner.read(...call)),
    tail: (after, signal) => followed(inner.tail(after, signal), after, metrics),
    follow: (...call) => inner.follow(...call),
    compactBefore: measured("compact_before", (...call) => inner.compactBefore(...call)),
    ...(inner.load && { load: (...call) => inner.load!(...call) }),
  };
}

/** Notes how far a follower of the log is: it has taken an event when it asks for the next one. */
async function* followed(
  events: AsyncIterable<Event>,
  after: number,
  { followers }: Metrics,
): AsyncGenerator<Event> {
  const follower = { at: after };
  followers.add(follower);
  try {
    for await (const event of events) {
      yield event;
      follower.at = event.sequence;
    }
  } finally {
    followers.delete(follower);
  }
}

function countEvents({ events: counter }: Metrics, events: readonly NewEvent[] = []): void {
  for (const { reason } of events) counter.labels(reason).inc();
}

/** Whether a write ends an operation; later ones only note something about it. */
const endsHere = (events: readonly NewEvent[] = []): boolean =>
  events.some(({ resource }) =>
    resource?.kind === "operation" && isTerminal(resource.value.state) &&
    resource.value.endTime !== null && resource.value.endTime === resource.value.updateTime
  );

function countEnd(
  { operationSeconds, operationsEnded }: Metrics,
  { kind, engine, state, createTime, endTime, error }: Operation,
): void {
  if (!isTerminal(state) || endTime === null) return;
  operationSeconds.labels(kind, engine, state).observe(Math.max(0, endTime - createTime) / 1_000);
  const failure = state === "FAILED" || state === "NEEDS_ATTENTION" ? error : null;
  operationsEnded.labels(kind, failure === null ? "none" : adviceFor(failure).responsible).inc();
}

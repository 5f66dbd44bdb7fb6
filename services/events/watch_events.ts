import {
  type Event,
  type EventSnapshot,
  type Filter,
  invalidArgument,
  matches,
  MpcError,
  parseName,
  redactSpec,
  type ResourceKind,
} from "@mpc/domain";
import type { Collection, Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { pagesOf } from "../resources/read_all.ts";
import { decodeResumeToken, encodeResumeToken } from "./resume_token.ts";

export interface WatchEventsRequest {
  /** Only this resource and the resources below it; empty for all. */
  readonly target: string;
  /** Only these kinds of resources; empty for all. */
  readonly kinds: readonly string[];
  readonly resumeToken: string;
  readonly skipExisting: boolean;
}

/** One response to a watcher; its token is opaque. */
export type WatchedEvent =
  | { readonly type: "existing"; readonly snapshot: EventSnapshot; readonly token: string }
  | { readonly type: "event"; readonly event: Event; readonly token: string }
  /** All existing resources have been sent. */
  | { readonly type: "synced"; readonly token: string };

const KINDS: readonly ResourceKind[] = ["environment", "workload", "operation"];
const PAGE = 200;

/** After this many events that a watcher does not see, it gets a mark with a newer token. */
const MARK_EVERY = 1_000;

/** What a watcher receives of an event. All watchers of an event receive the same object. */
const WATCHED = new WeakMap<Event, WatchedEvent>();

/**
 * Yields what exists, then each event once, in order, as many at once as there are. A token says
 * where the log was read to; a watch that ends before everything that exists was sent has no token
 * and starts again.
 * @throws {MpcError} PERMISSION_DENIED `PERMISSION_MISSING`, also when the permission is lost later,
 *   INVALID_ARGUMENT `INVALID_FIELDS`, OUT_OF_RANGE `EVENTS_COMPACTED`, or
 *   `EVENTS_UNKNOWN` for a token of a log that this store does not have
 */
export async function* watchEvents(
  deps: ServiceDeps,
  caller: Caller,
  request: WatchEventsRequest,
): AsyncGenerator<readonly WatchedEvent[]> {
  const { store } = deps;
  const wanted = wantedKinds(request.kinds);
  const isBelow = (name: string) =>
    request.target === "" || name === request.target || name.startsWith(`${request.target}/`);
  assertTarget(request.target);
  let visible = await visibleKinds(deps, caller, wanted);
  const isVisible = ({ resource }: Event) =>
    resource
      ? !visible.has(resource.kind) || matches(visible.get(resource.kind)!, resource.value)
      : visible.size === 0;
  const token = request.resumeToken === "" ? null : parseToken(request.resumeToken);
  const head = await store.events.head({ signal: caller.signal });
  if (token !== null && token > head) throw eventsUnknown(token, head);
  let cursor = token ?? head;
  /**
   * Versions that the watcher has received as existing; events of older versions are left out. All
   * of those were in the log when the last list ended, at `listed`.
   */
  const told = new Map<string, number>();
  let listed = cursor;
  if (request.resumeToken === "" && !request.skipExisting) {
    for await (const page of existing(deps, caller, wanted, visible)) {
      const below = page.filter(({ value }) => isBelow(value.name));
      for (const snapshot of below) told.set(keyOf(snapshot), snapshot.version);
      if (below.length > 0) {
        yield below.map((snapshot) => ({ type: "existing", snapshot, token: "" }));
      }
    }
    listed = await store.events.head({ signal: caller.signal });
  }
  yield [{ type: "synced", token: encodeResumeToken(cursor) }];
  let unmarked = 0;
  for await (const events of store.events.follow(cursor, caller.signal)) {
    const batch: WatchedEvent[] = [];
    // Roles and labels change while a watch goes on.
    visible = await visibleKinds(deps, caller, wanted);
    for (const event of events) {
      cursor = event.sequence;
      const { resource } = event;
      const about = isBelow(event.target) || (resource?.kind === "operation" &&
        isBelow(resource.value.target));
      if (!about || (resource && !wanted.has(resource.kind)) || !isVisible(event)) {
        if (++unmarked >= MARK_EVERY) {
          unmarked = 0;
          batch.push({ type: "synced", token: encodeResumeToken(cursor) });
        }
        continue;
      }
      if (cursor > listed) told.clear();
      if (resource && told.size > 0 && event.type !== "DELETED") {
        if ((told.get(keyOf(resource)) ?? 0) >= resource.version) continue;
      }
      unmarked = 0;
      batch.push(watchedEvent(event));
    }
    if (batch.length > 0) yield batch;
  }
  if (!caller.signal.aborted) {
    throw new MpcError("UNAVAILABLE", {
      reason: "WATCH_ENDED",
      message: "Cannot continue the watch: the log has ended; resume with the last token",
    });
  }
}

function watchedEvent(event: Event): WatchedEvent {
  const known = WATCHED.get(event);
  if (known) return known;
  const token = encodeResumeToken(event.sequence);
  const watched: WatchedEvent = { type: "event", event, token };
  WATCHED.set(event, watched);
  return watched;
}

/**
 * Filters over the documents of each kind; none for a kind of which the caller may see everything.
 */
async function visibleKinds(
  { authorizer }: ServiceDeps,
  caller: Caller,
  wanted: ReadonlySet<ResourceKind>,
): Promise<ReadonlyMap<ResourceKind, Filter>> {
  const filters = new Map<ResourceKind, Filter>();
  for (const kind of wanted) {
    if (kind === "revision") continue;
    const filter = await authorizer.visible(caller, `${kind}s.get`);
    if (filter) filters.set(kind, filter);
  }
  return filters;
}

async function* existing(
  { store }: ServiceDeps,
  caller: Caller,
  wanted: ReadonlySet<ResourceKind>,
  visible: ReadonlyMap<ResourceKind, Filter>,
): AsyncGenerator<readonly EventSnapshot[]> {
  if (wanted.has("environment")) {
    for await (const page of all(store.environments, caller, visible.get("environment"))) {
      yield page.map((stored) => ({ kind: "environment", ...stored }));
    }
  }
  if (wanted.has("workload")) {
    for await (const page of all(store.workloads, caller, visible.get("workload"))) {
      yield page.map(({ value, version }) => {
        const spec = redactSpec(value.spec);
        return { kind: "workload", value: { ...value, spec }, version };
      });
    }
  }
  if (wanted.has("operation")) {
    // Only running operations: ended operations are history.
    const live = { op: "=" as const, path: ["endTime"], value: null };
    const filter = visible.get("operation");
    const running = filter ? { op: "and" as const, terms: [live, filter] } : live;
    for await (const page of all(store.operations, caller, running)) {
      yield page.map(({ value, version }) => ({
        kind: "operation",
        value: { ...value, input: {} },
        version,
      }));
    }
  }
}

function all<T extends { readonly name: string }>(
  collection: Collection<T>,
  { signal }: Caller,
  filter?: Filter,
): AsyncIterable<readonly Stored<T>[]> {
  return pagesOf(collection, { limit: PAGE, signal, ...(filter && { filter }) });
}

/** Identifies a resource, also against an earlier one of the same name. */
function keyOf(snapshot: EventSnapshot): string {
  const uid = snapshot.kind === "operation" ? "" : snapshot.value.uid;
  return `${snapshot.value.name} ${uid}`;
}

function wantedKinds(kinds: readonly string[]): ReadonlySet<ResourceKind> {
  const unknown = kinds.find((kind) => !KINDS.some((known) => known === kind));
  if (unknown !== undefined) {
    throw invalidArgument("watch events", [{
      field: "kinds",
      value: unknown.slice(0, 100),
      rule: "ENUM",
      hint: `must be one of ${KINDS.join(", ")}`,
    }]);
  }
  return new Set(kinds.length === 0 ? KINDS : KINDS.filter((kind) => kinds.includes(kind)));
}

function assertTarget(target: string): void {
  if (target === "" || parseName(target)) return;
  throw invalidArgument("watch events", [{
    field: "target",
    value: target.slice(0, 100),
    rule: "RESOURCE_NAME",
    hint: "must be the name of a resource, such as environments/{environment}",
  }]);
}

/** The log was reset: without this error, the watcher would miss its events up to the token. */
const eventsUnknown = (token: number, head: number): MpcError =>
  new MpcError("OUT_OF_RANGE", {
    reason: "EVENTS_UNKNOWN",
    message:
      `Cannot watch events after ${token}: the newest is ${head}, the log was reset; watch without the token`,
    metadata: { newest: String(head) },
  });

function parseToken(token: string): number {
  const sequence = decodeResumeToken(token);
  if (sequence !== undefined) return sequence;
  throw invalidArgument("watch events", [{
    field: "resume_token",
    value: "",
    rule: "RESUME_TOKEN",
    hint: "is not a resume token",
  }]);
}

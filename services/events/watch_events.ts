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

/**
 * Yields existing resources, then each event once, in order. A token says how far the log was read.
 * A watch that ends before all existing resources were sent has no token, and must begin again.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, OUT_OF_RANGE `EVENTS_COMPACTED`, or
 *   `EVENTS_UNKNOWN` for a token of a log that this store does not have
 */
export async function* watchEvents(
  deps: ServiceDeps,
  caller: Caller,
  request: WatchEventsRequest,
): AsyncGenerator<WatchedEvent> {
  const { store } = deps;
  const wanted = wantedKinds(request.kinds);
  const isBelow = (name: string) =>
    request.target === "" || name === request.target || name.startsWith(`${request.target}/`);
  assertTarget(request.target);
  const visible = await visibleKinds(deps, caller, wanted);
  const isVisible = ({ resource }: Event) =>
    resource
      ? !visible.has(resource.kind) || matches(visible.get(resource.kind)!, resource.value)
      : visible.size === 0;
  const token = request.resumeToken === "" ? null : parseToken(request.resumeToken);
  const head = await store.events.head({ signal: caller.signal });
  if (token !== null && token > head) throw eventsUnknown(token, head);
  let cursor = token ?? head;
  /** Versions that the watcher has received; events with older versions are skipped. */
  const told = new Map<string, number>();
  if (request.resumeToken === "" && !request.skipExisting) {
    for await (const snapshot of existing(deps, caller, wanted, visible)) {
      if (!isBelow(snapshot.value.name)) continue;
      told.set(`${snapshot.value.name} ${uidOf(snapshot)}`, snapshot.version);
      yield { type: "existing", snapshot, token: "" };
    }
  }
  yield { type: "synced", token: encodeResumeToken(cursor) };
  let unmarked = 0;
  for await (const event of store.events.tail(cursor, caller.signal)) {
    cursor = event.sequence;
    const { resource } = event;
    const about = isBelow(event.target) || (resource?.kind === "operation" &&
      isBelow(resource.value.target));
    if (!about || (resource && !wanted.has(resource.kind)) || !isVisible(event)) {
      if (++unmarked >= MARK_EVERY) {
        unmarked = 0;
        yield { type: "synced", token: encodeResumeToken(cursor) };
      }
      continue;
    }
    const key = resource && `${resource.value.name} ${uidOf(resource)}`;
    if (key && event.type !== "DELETED" && (told.get(key) ?? 0) >= resource.version) continue;
    unmarked = 0;
    yield { type: "event", event, token: encodeResumeToken(cursor) };
  }
  if (!caller.signal.aborted) {
    throw new MpcError("UNAVAILABLE", {
      reason: "WATCH_ENDED",
      message: "Cannot continue the watch: the log has ended; resume with the last token",
    });
  }
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
    const filter = await authorizer.visible(caller, `${kind}.get`);
    if (filter) filters.set(kind, filter);
  }
  return filters;
}

async function* existing(
  { store }: ServiceDeps,
  caller: Caller,
  wanted: ReadonlySet<ResourceKind>,
  visible: ReadonlyMap<ResourceKind, Filter>,
): AsyncGenerator<EventSnapshot> {
  if (wanted.has("environment")) {
    for await (const stored of all(store.environments, caller, visible.get("environment"))) {
      yield { kind: "environment", ...stored };
    }
  }
  if (wanted.has("workload")) {
    for await (const { value, version } of all(store.workloads, caller, visible.get("workload"))) {
      const spec = redactSpec(value.spec);
      yield { kind: "workload", value: { ...value, spec }, version };
    }
  }
  if (wanted.has("operation")) {
    // Only running operations: ended operations are history.
    const live = { op: "=" as const, path: ["endTime"], value: null };
    const filter = visible.get("operation");
    const running = filter ? { op: "and" as const, terms: [live, filter] } : live;
    for await (const { value, version } of all(store.operations, caller, running)) {
      yield { kind: "operation", value: { ...value, input: {} }, version };
    }
  }
}

async function* all<T extends { readonly name: string }>(
  collection: Collection<T>,
  { signal }: Caller,
  filter?: Filter,
): AsyncGenerator<Stored<T>> {
  const query = { limit: PAGE, signal, ...(filter && { filter }) };
  for await (const page of pagesOf(collection, query)) yield* page;
}

function uidOf(snapshot: EventSnapshot): string {
  return snapshot.kind === "operation" ? "" : snapshot.value.uid;
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

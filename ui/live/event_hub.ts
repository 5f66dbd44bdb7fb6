import { Code, ConnectError } from "@connectrpc/connect";
import { type Connection, watchEvents } from "@mpc/client";
import type { Event } from "@mpc/proto";

/** What a page learns: its content has changed, or the hub has lost or found the server. */
export interface Notice {
  readonly type: "ready" | "reset" | "changed" | "lost";
  /** Where in the log; "" if that is not known. */
  readonly position: string;
}

/** An open page. */
export interface Subscriber {
  /** The resources whose events it wants, and all resources below them; `*` for all. */
  readonly watch: readonly string[];
  /** Where in the log its content was made; "" if it does not know. */
  readonly after: string;
  readonly notify: (notice: Notice) => void;
  /** Called if there will be no more notices, for instance because the credentials have expired. */
  readonly end: (error?: ConnectError) => void;
}

/** How many events a page may have missed before it is told to load again all the same. */
const REMEMBERED = 1_000;

/** How long the hub goes on without a page, so that the next page need not start it. */
const LINGER_MS = 30_000;

interface Remembered {
  readonly position: string;
  readonly names: readonly string[];
}

/**
 * One watch of the event log for any number of pages of one viewer. It begins with the first page,
 * where that page's content was made, and remembers the newest events for pages that reconnect.
 */
export class EventHub {
  readonly #connection: Connection;
  readonly #subscribers = new Set<Subscriber>();
  readonly #onIdle: () => void;
  #events: Remembered[] = [];
  /** Where the log was read to; "" until the watch has said. */
  #position = "";
  #isLost = false;
  #stop: AbortController | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;

  /** @param onIdle called when no page has been open for a while; the hub is closed then */
  constructor(connection: Connection, onIdle: () => void) {
    this.#connection = connection;
    this.#onIdle = onIdle;
  }

  /** Where in the log a page is whose content is read from now on; "" if that is not known. */
  get position(): string {
    return this.#isLost ? "" : this.#position;
  }

  /** The number of open pages. */
  get size(): number {
    return this.#subscribers.size;
  }

  /** @returns a function that ends the subscription */
  subscribe(subscriber: Subscriber): () => void {
    clearTimeout(this.#linger);
    this.#subscribers.add(subscriber);
    if (!this.#stop) void this.#run(subscriber.after);
    else this.#catchUp(subscriber);
    return () => {
      if (!this.#subscribers.delete(subscriber) || this.#subscribers.size > 0) return;
      this.#linger = setTimeout(() => {
        this.close();
        this.#onIdle();
      }, LINGER_MS);
    };
  }

  close(): void {
    clearTimeout(this.#linger);
    this.#stop?.abort();
    this.#stop = undefined;
    this.#endAll();
  }

  /** Ends all subscriptions. None of them is there when it ends, so that no one lingers. */
  #endAll(error?: ConnectError): void {
    const subscribers = [...this.#subscribers];
    this.#subscribers.clear();
    for (const { end } of subscribers) end(error);
  }

  /** Tells a page what it has missed. */
  #catchUp(subscriber: Subscriber): void {
    const { watch, after, notify } = subscriber;
    const position = this.#position;
    // The watch has not begun; it will say where.
    if (position === "") return;
    if (this.#isLost) return notify({ type: "lost", position });
    const missed = this.#after(after);
    if (!missed) return notify({ type: "reset", position });
    notify({ type: "ready", position });
    if (missed.some(({ names }) => concerns(names, watch))) notify({ type: "changed", position });
  }

  /** The events after a position; undefined if they are not all remembered. */
  #after(position: string): readonly Remembered[] | undefined {
    if (position === this.#position) return [];
    const at = this.#events.findLastIndex((event) => event.position === position);
    return at < 0 ? undefined : this.#events.slice(at + 1);
  }

  async #run(after: string): Promise<void> {
    const stop = new AbortController();
    this.#stop = stop;
    this.#events = after === "" ? [] : [{ position: after, names: [] }];
    this.#position = "";
    try {
      const updates = watchEvents(this.#connection, { resumeToken: after, skipExisting: true }, {
        signal: stop.signal,
        onLost: () => this.#tell("lost"),
        onFound: () => this.#tell("ready"),
      });
      for await (const { event, resumeToken, reset } of updates) {
        if (stop.signal.aborted) return;
        if (reset) this.#reset();
        else this.#advance(resumeToken, event);
      }
    } catch (error) {
      if (stop.signal.aborted) return;
      // A page says where it was; what it says may be anything.
      if (after !== "" && isInvalid(error)) return await this.#run("");
      this.#stop = undefined;
      this.#position = "";
      this.#endAll(ConnectError.from(error));
      this.#onIdle();
    }
  }

  #advance(position: string, event: Event | undefined): void {
    const begins = this.#position === "";
    if (position !== "") this.#position = position;
    if (begins) this.#begin();
    if (!event) return;
    const names = namesIn(event);
    this.#events.push({ position, names });
    if (this.#events.length > REMEMBERED) this.#events.splice(0, REMEMBERED / 2);
    for (const { watch, notify } of this.#subscribers) {
      if (concerns(names, watch)) notify({ type: "changed", position });
    }
  }

  /** The watch has begun: pages that were made before it may have missed something. */
  #begin(): void {
    const position = this.#position;
    for (const { after, notify } of this.#subscribers) {
      const isCovered = after !== "" && this.#after(after) !== undefined;
      notify({ type: isCovered ? "ready" : "reset", position });
    }
  }

  #reset(): void {
    this.#events = [];
    this.#position = "";
    this.#tell("reset");
  }

  #tell(type: "lost" | "ready" | "reset"): void {
    this.#isLost = type === "lost";
    for (const { notify } of this.#subscribers) notify({ type, position: this.#position });
  }
}

const isInvalid = (error: unknown): boolean =>
  error instanceof ConnectError && error.code === Code.InvalidArgument;

/** Every resource that an event says something about. */
function namesIn({ target, operation, resource }: Event): readonly string[] {
  const names = [target, operation];
  if (resource.case === "operationResource") names.push(resource.value.target);
  return names.filter((name) => name !== "");
}

const concerns = (names: readonly string[], watch: readonly string[]): boolean =>
  watch.some((wanted) =>
    wanted === "*" || names.some((name) => name === wanted || name.startsWith(`${wanted}/`))
  );

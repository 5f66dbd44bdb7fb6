import { isMpcError } from "@mpc/domain";
import { outsideTraces } from "@mpc/process";
import type { Clock } from "@mpc/services";
import { JOB } from "../client/kinds.ts";
import type { KubeClient } from "../client/kube_client.ts";
import { type LiveObject, type ObjectKind, refOf, textOf } from "../client/kube_object.ts";
import { OURS, ownerOf } from "../objects/ownership.ts";
import { reflect, type ReflectorTarget } from "./reflector.ts";

/** The objects of one owner by their text, for instance `Pod/dev/web-1`. */
type Owned = ReadonlyMap<string, LiveObject>;

/** How many deleted objects are remembered; waiting calls need only recent ones. */
const MAX_REMOVED = 10_000;

const NOTHING: Owned = new Map();

/** Our objects of one kind on one cluster, kept current by one shared watch. */
export class Informer {
  readonly #byOwner = new Map<string, Map<string, LiveObject>>();
  readonly #onChange: (owner: string) => void;
  readonly #onRenewed: () => void;
  readonly #running: Promise<void>;
  /** The deleted objects by their uids; the last states of Jobs, which say how they ended. */
  readonly #removed = new Map<string, LiveObject | undefined>();
  #failure: unknown;
  #listedAt = -1;

  constructor(options: {
    readonly client: KubeClient;
    readonly kind: ObjectKind;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    /** Called when an object of this owner has changed. */
    readonly onChange: (owner: string) => void;
    /** Called when all objects were listed, and when the watch fails or recovers. */
    readonly onRenewed: () => void;
  }) {
    this.#onChange = options.onChange;
    this.#onRenewed = options.onRenewed;
    const selection = { labelSelector: OURS };
    // It outlives the operation that needed it first, and is no part of its trace.
    this.#running = outsideTraces(() => reflect({ ...options, selection, target: this.#target() }));
  }

  /** The objects of an owner that the watch has reported so far. */
  of(owner: string): readonly LiveObject[] {
    return [...(this.#byOwner.get(owner) ?? NOTHING).values()];
  }

  /** Whether the object with this uid was deleted; only recent deletions are remembered. */
  hasRemoved(uid: string): boolean {
    return this.#removed.has(uid);
  }

  /** The last state of a Job that was deleted recently. */
  removedJob(uid: string): LiveObject | undefined {
    return this.#removed.get(uid);
  }

  /** The resource version of the last list; -1 before the first one. */
  get listedAt(): number {
    return this.#listedAt;
  }

  /** Why its objects are stale; undefined while they are current. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Resolves when the watch has stopped after the signal was aborted. */
  get ended(): Promise<void> {
    return this.#running;
  }

  #target(): ReflectorTarget {
    return {
      replace: (objects, resourceVersion) => this.#replace(objects, Number(resourceVersion)),
      put: (object) => this.#put(object),
      remove: (object) => this.#remove(object),
      failed: (error) => {
        const first = this.#failure === undefined;
        this.#failure = error;
        if (first || !isMpcError(error, "UNAVAILABLE")) this.#onRenewed();
      },
      recovered: () => {
        if (this.#failure === undefined) return;
        this.#failure = undefined;
        this.#onRenewed();
      },
    };
  }

  #replace(objects: readonly LiveObject[], version: number): void {
    const before = [...this.#byOwner.values()];
    const still = new Set(objects.map(({ metadata }) => metadata.uid));
    this.#byOwner.clear();
    for (const object of objects) this.#keep(object);
    for (const owned of before) {
      for (const object of owned.values()) {
        if (!still.has(object.metadata.uid)) this.#remember(object);
      }
    }
    this.#listedAt = version;
    this.#onRenewed();
  }

  #put(object: LiveObject): void {
    const owner = this.#keep(object);
    if (owner !== undefined) this.#onChange(owner);
  }

  #remove(object: LiveObject): void {
    const owner = ownerOf(object);
    if (owner === undefined) return;
    this.#remember(object);
    const owned = this.#byOwner.get(owner);
    owned?.delete(textOf(refOf(object)));
    if (owned?.size === 0) this.#byOwner.delete(owner);
    this.#onChange(owner);
  }

  #keep(object: LiveObject): string | undefined {
    const owner = ownerOf(object);
    if (owner === undefined) return undefined;
    const owned = this.#byOwner.get(owner) ?? new Map<string, LiveObject>();
    this.#byOwner.set(owner, owned.set(textOf(refOf(object)), slim(object)));
    return owner;
  }

  #remember(object: LiveObject): void {
    const isJob = object.kind === JOB.kind;
    this.#removed.set(object.metadata.uid ?? "", isJob ? slim(object) : undefined);
    if (this.#removed.size <= MAX_REMOVED) return;
    const [oldest] = this.#removed.keys();
    this.#removed.delete(oldest!);
  }
}

/**
 * An object without the parts that no waiting call needs: `managedFields`, which are large, and the
 * data of Secrets and ConfigMaps, which must not stay in memory.
 */
function slim({ data: _, binaryData: __, ...object }: LiveObject): LiveObject {
  const { managedFields: ___, ...metadata } = object.metadata;
  return { ...object, metadata };
}

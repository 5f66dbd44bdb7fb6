import { isMpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import type { KubeClient } from "../client/kube_client.ts";
import { type LiveObject, type ObjectKind, refOf, textOf } from "../client/kube_object.ts";
import { OURS, ownerOf } from "../objects/ownership.ts";
import { reflect, type ReflectorTarget } from "./reflector.ts";

/** An owner's objects of one kind, by their name as text. */
type Owned = ReadonlyMap<string, LiveObject>;

/** So many departures are remembered: longer than anybody needs to look. */
const MAX_REMOVED = 10_000;

const NOTHING: Owned = new Map();

/** Our objects of one kind on one cluster, by one watch that all who wait share. */
export class Informer {
  readonly #byOwner = new Map<string, Map<string, LiveObject>>();
  readonly #onChange: (owner: string) => void;
  readonly #onRenewed: () => void;
  readonly #running: Promise<void>;
  readonly #removed = new Set<string>();
  #failure: unknown;
  #listedAt = -1;

  constructor(options: {
    readonly client: KubeClient;
    readonly kind: ObjectKind;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    /** An object of this owner has changed. */
    readonly onChange: (owner: string) => void;
    /** Everything was listed, or the watch has broken or works again. */
    readonly onRenewed: () => void;
  }) {
    this.#onChange = options.onChange;
    this.#onRenewed = options.onRenewed;
    const selection = { labelSelector: OURS };
    this.#running = reflect({ ...options, selection, target: this.#target() });
  }

  /** The objects of an owner, as far as has been told. */
  of(owner: string): readonly LiveObject[] {
    return [...(this.#byOwner.get(owner) ?? NOTHING).values()];
  }

  /** Whether the object of this uid was there once, and is gone; not for ever remembered. */
  hasRemoved(uid: string): boolean {
    return this.#removed.has(uid);
  }

  /** The version at which everything was listed last; below all versions before the first list. */
  get listedAt(): number {
    return this.#listedAt;
  }

  /** Why it does not follow at this time; undefined while it does. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Resolves when nothing runs any more, once the signal was aborted. */
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

  #remember({ metadata }: LiveObject): void {
    this.#removed.add(metadata.uid ?? "");
    if (this.#removed.size <= MAX_REMOVED) return;
    const [oldest] = this.#removed;
    this.#removed.delete(oldest!);
  }
}

/**
 * An object without what nobody who waits looks at: who manages which field, which is much of it,
 * and what Secrets and ConfigMaps hold, which is not to lie in our memory for as long as we run.
 */
function slim({ data: _, binaryData: __, ...object }: LiveObject): LiveObject {
  const { managedFields: ___, ...metadata } = object.metadata;
  return { ...object, metadata };
}

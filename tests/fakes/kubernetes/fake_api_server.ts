import { keyOf } from "../../../worker/providers/kubernetes/client/kinds.ts";
import type {
  Selection,
  WatchEvent,
} from "../../../worker/providers/kubernetes/client/kube_client.ts";
import type { KubernetesObject } from "../../../worker/providers/kubernetes/render/mod.ts";
import {
  fieldAt,
  type LiveObject,
  type ObjectKind,
  type ObjectRef,
  refOf,
} from "../../../worker/providers/kubernetes/client/kube_object.ts";
import type { KubeStatus } from "../../../worker/providers/kubernetes/client/status_error.ts";
import { changedPaths, conflictsOf, ownedPaths, type Owners } from "./field_ownership.ts";
import { dotted, fieldsV1, mergeOver, without } from "./server_side_apply.ts";

/** A rejection, as an API server sends it. */
export class Refused extends Error {
  constructor(readonly status: KubeStatus) {
    super(status.message);
  }
}

interface Change {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: LiveObject;
}

/** An API server's storage: objects in memory with versions, field managers and watches. */
export class FakeApiServer {
  readonly #objects = new Map<string, LiveObject>();
  readonly #owners = new Map<string, Owners>();
  readonly #listeners = new Set<(change: Change | "ended") => void>();
  readonly #hooks = new Set<(change: Change) => void>();
  #history: Change[] = [];
  #version = 100;
  #uids = 0;
  /** Inspects objects before they are stored, and may reject them. */
  admit: (object: LiveObject, before: LiveObject | undefined) => void = () => {};
  /** The time of creation and deletion. */
  now: () => number = () => 0;

  get version(): string {
    return String(this.#version);
  }

  get(ref: ObjectRef): LiveObject | undefined {
    return structuredClone(this.#objects.get(keyFor(ref)));
  }

  list(kind: ObjectKind, selection: Selection = {}): readonly LiveObject[] {
    return [...this.#objects.values()].filter((object) => matches(object, kind, selection))
      .map((object) => structuredClone(object));
  }

  /** Server-side apply by one manager. @throws {Refused} */
  apply(
    wanted: KubernetesObject,
    options: {
      readonly manager: string;
      readonly force: boolean;
      readonly dryRun: boolean;
      readonly uid?: string | undefined;
      readonly resourceVersion?: string | undefined;
      readonly mustCreate?: boolean;
    },
  ): LiveObject {
    const { manager, force, dryRun, uid, resourceVersion, mustCreate = false } = options;
    const key = keyFor(refOf(wanted));
    const live = this.#objects.get(key);
    if (uid !== undefined && uid !== live?.metadata.uid) {
      throw refused(409, "Conflict", `uid mismatch: the provided object specified uid ${uid}`);
    }
    const isOther = resourceVersion !== undefined &&
      resourceVersion !== live?.metadata.resourceVersion;
    if (isOther || (mustCreate && live)) {
      throw refused(409, "Conflict", "the object has been modified; apply to the latest version");
    }
    this.#assertNamespace(wanted, live);
    const owners: Owners = new Map(this.#owners.get(key));
    const paths = ownedPaths(wanted);
    const conflicts = conflictsOf(owners, manager, wanted, live);
    if (conflicts.length > 0 && !force) {
      throw new Refused({
        code: 409,
        reason: "Conflict",
        message: `Apply failed with ${conflicts.length} conflicts`,
        details: {
          causes: conflicts.map(([other, path]) => ({
            reason: "FieldManagerConflict",
            message: `conflict with "${other}" using v1`,
            field: dotted(path),
          })),
        },
      });
    }
    for (const [other, path] of conflicts) owners.get(other)?.delete(path);
    let next: unknown = live ?? {};
    for (const path of owners.get(manager) ?? []) {
      const shared = [...owners].some(([other, its]) => other !== manager && its.has(path));
      if (!paths.has(path) && !shared) next = without(next, JSON.parse(path));
    }
    owners.set(manager, paths);
    const object = mergeOver(next, wanted) as LiveObject;
    this.admit(object, live);
    const written = this.#stamp(object, live, owners);
    if (dryRun) return structuredClone(written);
    this.#owners.set(key, owners);
    return this.#keep(key, written, live);
  }

  /** Writes an object like a controller or a person, who then manages the changed fields. */
  update(object: LiveObject, manager: string, subresource?: "status" | "scale"): void {
    const key = keyFor(refOf(object));
    const live = this.#objects.get(key);
    const owners: Owners = new Map(this.#owners.get(key));
    if (subresource !== "status") {
      const name = subresource === undefined ? manager : `${manager}/${subresource}`;
      const changed = changedPaths(object, live);
      for (const its of owners.values()) for (const path of changed) its.delete(path);
      owners.set(name, new Set([...(owners.get(name) ?? []), ...changed]));
      this.#owners.set(key, owners);
    }
    this.#keep(key, this.#stamp(object, live, owners), live);
  }

  /** Removes an object at once, even with finalizers. */
  remove(ref: ObjectRef): void {
    const key = keyFor(ref);
    const live = this.#objects.get(key);
    if (!live) return;
    this.#objects.delete(key);
    this.#owners.delete(key);
    this.#tell("DELETED", live);
  }

  /**
   * Follows the changes after a version until it is stopped.
   * @throws {Refused} 410 if the version is no longer known
   */
  watch(
    kind: ObjectKind,
    selection: Selection,
    from: number,
    listener: (event: WatchEvent | "ended") => void,
  ): () => void {
    const oldest = this.#history[0]?.version ?? this.#version + 1;
    if (from + 1 < oldest && from < this.#version) {
      throw refused(410, "Expired", "too old resource version");
    }
    const tell = (change: Change | "ended") => {
      if (change === "ended") listener("ended");
      else if (matches(change.object, kind, selection)) {
        listener({ type: change.type, object: structuredClone(change.object) });
      }
    };
    for (const change of this.#history) if (change.version > from) tell(change);
    this.#listeners.add(tell);
    return () => this.#listeners.delete(tell);
  }

  /** Calls `hook` at each change, before the watches. */
  onChange(hook: (change: Change) => void): void {
    this.#hooks.add(hook);
  }

  /** Ends every watch, like a server that restarts. */
  endWatches(): void {
    for (const listener of [...this.#listeners]) listener("ended");
    this.#listeners.clear();
  }

  /** Drops the history: watches that continue from there get 410. */
  compact(): void {
    this.#history = [];
    this.#version++;
  }

  get watchers(): number {
    return this.#listeners.size;
  }

  #assertNamespace(config: LiveObject, live: LiveObject | undefined): void {
    const { namespace } = config.metadata;
    if (namespace === undefined) return;
    const parent = this.#objects.get(
      keyFor({ apiVersion: "v1", kind: "Namespace", name: namespace }),
    );
    if (!parent) {
      throw new Refused({
        code: 404,
        reason: "NotFound",
        message: `namespaces "${namespace}" not found`,
        details: { kind: "namespaces" },
      });
    }
    if (parent.metadata.deletionTimestamp === undefined || live) return;
    throw new Refused({
      code: 403,
      reason: "Forbidden",
      message: "forbidden: unable to create new content, it is being terminated",
      details: { causes: [{ reason: "NamespaceTerminating" }] },
    });
  }

  #stamp(
    object: LiveObject,
    live: LiveObject | undefined,
    owners: Owners,
  ): LiveObject {
    const spec = (of: LiveObject | undefined) => JSON.stringify(of?.["spec"]);
    const changed = spec(object) !== spec(live);
    const before = live?.metadata;
    const metadata: LiveObject["metadata"] = {
      ...object.metadata,
      uid: before?.uid ?? `object-${++this.#uids}`,
      generation: (before?.generation ?? 0) + (changed ? 1 : 0),
      creationTimestamp: before?.creationTimestamp ?? new Date(this.now()).toISOString(),
      managedFields: [...owners].map(([name, paths]) => {
        const [manager = "", subresource] = name.split("/");
        return { manager, ...(subresource && { subresource }), fieldsV1: fieldsV1(paths) };
      }),
    };
    return { ...object, metadata };
  }

  #keep(
    key: string,
    object: LiveObject,
    live: LiveObject | undefined,
  ): LiveObject {
    if (live && same({ ...object, metadata: bare(object) }, { ...live, metadata: bare(live) })) {
      return structuredClone(live);
    }
    const written = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.#version + 1) },
    };
    this.#objects.set(key, written);
    this.#tell(live ? "MODIFIED" : "ADDED", written);
    return structuredClone(written);
  }

  #tell(type: Change["type"], object: LiveObject): void {
    const version = ++this.#version;
    const told = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(version) },
    };
    const change = { version, type, object: told };
    this.#history.push(change);
    for (const listener of [...this.#listeners]) listener(change);
    for (const hook of this.#hooks) hook(change);
  }
}

function bare({ metadata }: LiveObject): unknown {
  const { resourceVersion: _, ...rest } = metadata;
  return rest;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const refused = (code: number, reason: string, message: string): Refused =>
  new Refused({ code, reason, message });

function keyFor(ref: ObjectRef): string {
  return `${keyOf(ref)}|${ref.namespace ?? ""}|${ref.name}`;
}

function matches(object: LiveObject, kind: ObjectKind, selection: Selection): boolean {
  if (keyOf(object) !== keyOf(kind)) return false;
  const { namespace, labelSelector, fieldSelector } = selection;
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false;
  if (fieldSelector !== undefined && !hasField(object, fieldSelector)) return false;
  return (labelSelector ?? "").split(/,(?![^(]*\))/).every((term) => {
    const [, set, values = ""] = /^(\S+) in \((.*)\)$/.exec(term) ?? [];
    if (set) return values.split(",").includes(object.metadata.labels?.[set] ?? "");
    const [key = "", value = ""] = term.split("=");
    return key === "" || object.metadata.labels?.[key] === value;
  });
}

/** For one term, for instance `involvedObject.kind=Pod`. */
function hasField(object: LiveObject, term: string): boolean {
  const [path = "", value = ""] = term.split("=");
  return fieldAt(object, ...path.split(".")) === value;
}

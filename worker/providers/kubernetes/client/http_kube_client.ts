import { isMpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import type { KubernetesObject } from "../render/mod.ts";
import type { ClusterAccess } from "./credentials.ts";
import { groupPath, keyOf, knownResource, type Resource } from "./kinds.ts";
import {
  type ApplyOptions,
  type DeleteOptions,
  FIELD_MANAGER,
  type KubeCall,
  type KubeClient,
  type ObjectList,
  type PodLogLine,
  type PodLogQuery,
  type Selection,
  type WatchEvent,
} from "./kube_client.ts";
import {
  fieldAt,
  type LiveObject,
  type ObjectKind,
  type ObjectRef,
  refOf,
  textOf,
} from "./kube_object.ts";
import { broken, linesOf } from "./lines.ts";
import { parseLogLine } from "./log_line.ts";
import { type ClientLimits, DEFAULT_LIMITS, type Request, Requester } from "./requester.ts";
import { type Asked, type KubeStatus, statusError } from "./status_error.ts";

export interface HttpKubeClientOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly limits?: ClientLimits;
}

/** A page of a list: what is longer is read in several requests. */
const PAGE = 500;

/** So often a list begins anew whose pages ran out of time. */
const MAX_LISTS = 3;

/** How long the server keeps a watch; it is begun anew then. */
const WATCH_SECONDS = 300;

/** Characters; programs may print without ever ending a line. */
const LONGEST_LOG_LINE = 64 * 1024;

/** Characters; no object that an API server keeps is as large (etcd takes requests of 1.5 MiB). */
const LONGEST_EVENT = 16 * 1024 * 1024;

/** A cluster's API server, by HTTP. */
export class HttpKubeClient implements KubeClient {
  readonly cluster: string;
  readonly #requester: Requester;
  readonly #clock: Clock;
  /** Kinds that were asked for, by key. */
  readonly #discovered = new Map<string, Resource>();

  constructor({ access, clock, limits = DEFAULT_LIMITS }: HttpKubeClientOptions) {
    this.cluster = access.cluster;
    this.#clock = clock;
    this.#requester = new Requester({ access, clock, limits });
  }

  async get(ref: ObjectRef, { signal }: KubeCall): Promise<LiveObject | undefined> {
    const path = await this.#pathOf(ref, ref, signal);
    const asked = this.#asked(`read '${textOf(ref)}'`, ref.namespace);
    const object = await this.#requester.json({ method: "GET", path, signal, asked }, "undefined");
    return object as LiveObject | undefined;
  }

  async list(kind: ObjectKind, selection: Selection, { signal }: KubeCall): Promise<ObjectList> {
    const path = await this.#pathOf(kind, selection, signal);
    const asked = this.#asked(`list ${kind.kind} objects`, selection.namespace);
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#pages(kind, selection, { method: "GET", path, signal, asked });
      } catch (error) {
        // The version that the pages before were of is no longer kept: begin anew.
        if (attempt >= MAX_LISTS || !isMpcError(error, "OUT_OF_RANGE")) throw error;
      }
    }
  }

  async apply(
    object: KubernetesObject,
    { force, dryRun, uid, signal, manager = FIELD_MANAGER }: ApplyOptions,
  ): Promise<LiveObject> {
    const ref = refOf(object);
    const query = queryOf({
      fieldManager: manager,
      fieldValidation: "Strict",
      force,
      dryRun: dryRun ? "All" : "",
    });
    return await this.#requester.json({
      method: "PATCH",
      path: `${await this.#pathOf(ref, ref, signal)}${query}`,
      contentType: "application/apply-patch+yaml",
      body: uid === undefined ? object : { ...object, metadata: { ...object.metadata, uid } },
      signal,
      asked: this.#asked(`apply '${textOf(ref)}'`, ref.namespace),
    }) as LiveObject;
  }

  async delete(ref: ObjectRef, { propagation, uid, signal }: DeleteOptions): Promise<void> {
    try {
      await this.#requester.json({
        method: "DELETE",
        path: await this.#pathOf(ref, ref, signal),
        contentType: "application/json",
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          propagationPolicy: propagation,
          preconditions: { uid },
        },
        signal,
        asked: this.#asked(`delete '${textOf(ref)}'`, ref.namespace),
      }, "undefined");
    } catch (error) {
      // Another one stands there now: what was meant is gone.
      if (!isMpcError(error, "ABORTED") || error.metadata["precondition"] !== "uid") throw error;
    }
  }

  async *watch(
    kind: ObjectKind,
    selection: Selection,
    { resourceVersion, signal }: KubeCall & { readonly resourceVersion: string },
  ): AsyncGenerator<WatchEvent> {
    const path = await this.#pathOf(kind, selection, signal);
    const asked = this.#asked(`watch ${kind.kind} objects`, selection.namespace);
    const query = queryOf({
      ...selectors(selection),
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion,
      timeoutSeconds: WATCH_SECONDS,
    });
    const request = { method: "GET", path: `${path}${query}`, signal, asked } as const;
    // A watch is told a bookmark now and then.
    const { idleTimeoutMs: idleMs } = this.#requester.limits;
    const lines = await this.#lines(request, { idleMs, longest: LONGEST_EVENT });
    yield { type: "OPENED" };
    for await (const line of lines) {
      const { type, object } = parseEvent(line, asked);
      if (type === "ERROR") throw statusError(object as unknown as KubeStatus, asked);
      if (type === "BOOKMARK") {
        yield { type, resourceVersion: object.metadata.resourceVersion ?? resourceVersion };
      } else if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") {
        yield { type, object };
      }
    }
  }

  async *podLogs(query: PodLogQuery): AsyncGenerator<PodLogLine> {
    const { namespace, pod, container, follow, tail, since, previous, signal } = query;
    const parameters = queryOf({
      container,
      follow,
      previous,
      timestamps: true,
      tailLines: tail ?? "",
      sinceTime: since === null ? "" : new Date(since).toISOString(),
    });
    const path = `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(pod)}/log${parameters}`;
    const asked = this.#asked(`read the logs of pod '${pod}'`, namespace);
    // A program may print nothing for hours.
    const idleMs = follow ? null : this.#requester.limits.idleTimeoutMs;
    const request = { method: "GET", path, signal, asked } as const;
    const lines = await this.#lines(request, { idleMs, longest: LONGEST_LOG_LINE });
    for await (const line of lines) {
      const parsed = parseLogLine(line);
      if (parsed && (since === null || parsed.time >= since)) yield parsed;
    }
  }

  close(): Promise<void> {
    return this.#requester.close();
  }

  async #pages(kind: ObjectKind, selection: Selection, request: Request): Promise<ObjectList> {
    const items: LiveObject[] = [];
    let next = "";
    do {
      const query = queryOf({ ...selectors(selection), limit: PAGE, continue: next });
      const page = await this.#requester.json({
        ...request,
        path: `${request.path}${query}`,
      }) as { metadata: { resourceVersion: string; continue?: string }; items?: object[] };
      // The items of a list leave out what the list says itself.
      items.push(...(page.items ?? []).map((item) => ({ ...kind, ...item } as LiveObject)));
      next = page.metadata.continue ?? "";
      if (next === "") return { items, resourceVersion: page.metadata.resourceVersion };
    } while (true);
  }

  /** Resolves when the server begins to answer. */
  async #lines(
    request: Request,
    limits: { readonly idleMs: number | null; readonly longest: number },
  ): Promise<AsyncIterable<string>> {
    const stream = await this.#requester.stream(request);
    return linesOf(stream, { ...request, ...limits, clock: this.#clock });
  }

  #asked(action: string, namespace: string | undefined) {
    return { action, namespace, cluster: this.cluster };
  }

  async #pathOf(
    kind: ObjectKind,
    at: { readonly namespace?: string | undefined; readonly name?: string },
    signal: AbortSignal,
  ): Promise<string> {
    const { plural, namespaced } = knownResource(kind) ?? await this.#discover(kind, signal);
    const place = namespaced && at.namespace !== undefined ? `/namespaces/${at.namespace}` : "";
    const name = at.name === undefined ? "" : `/${encodeURIComponent(at.name)}`;
    return `${groupPath(kind.apiVersion)}${place}/${plural}${name}`;
  }

  /** Asks the cluster what it calls a kind that not every cluster has. */
  async #discover(kind: ObjectKind, signal: AbortSignal): Promise<Resource> {
    const found = this.#discovered.get(keyOf(kind));
    if (found) return found;
    const asked = this.#asked(`find out about kind '${keyOf(kind)}'`, undefined);
    const list = await this.#requester.json({
      method: "GET",
      path: groupPath(kind.apiVersion),
      signal,
      asked,
    });
    const resources = fieldAt(list, "resources") as
      | { name: string; kind: string; namespaced: boolean }[]
      | undefined;
    const resource = resources?.find(({ name, kind: its }) =>
      its === kind.kind && !name.includes("/")
    );
    if (!resource) throw statusError({ code: 404 }, asked);
    const known = { plural: resource.name, namespaced: resource.namespaced };
    this.#discovered.set(keyOf(kind), known);
    return known;
  }
}

/** @throws {MpcError} UNAVAILABLE `CLUSTER_UNREACHABLE` for a line that was cut off */
function parseEvent(line: string, asked: Asked): { type: string; object: LiveObject } {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw broken(asked, "broken off in a line", error);
  }
}

function selectors({ labelSelector, fieldSelector }: Selection) {
  return { labelSelector, fieldSelector };
}

/** A query of what is set. */
function queryOf(
  parameters: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "" && value !== false) query.set(name, String(value));
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

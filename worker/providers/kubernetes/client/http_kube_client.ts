import type { V1ListMeta } from "@kubernetes/client-node";
import { isMpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";

import type { ClusterAccess } from "./credentials.ts";
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
  type KubernetesObject,
  type LiveObject,
  type ObjectKind,
  type ObjectRef,
  refOf,
  textOf,
} from "./kube_object.ts";
import {
  type ClientLimits,
  DEFAULT_LIMITS,
  type EndedRequest,
  type Request,
  Requester,
} from "./requester.ts";
import { ResourcePaths } from "./resource_paths.ts";
import { streamBroken, streamLines } from "./response_stream.ts";
import { type Asked, type KubeStatus, statusError } from "./status_error.ts";
import type { Wire } from "./wire_format.ts";

type ListMetadata = Wire<V1ListMeta> & { readonly resourceVersion: string };

export interface HttpKubeClientOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly limits?: ClientLimits;
  /** Called at the end of each HTTP request; must not throw. */
  readonly onRequest?: ((request: EndedRequest) => void) | undefined;
}

/** Objects per page of a list. */
const PAGE_SIZE = 500;

/** How often a list is attempted when the version of its first pages expires. */
const MAX_LIST_ATTEMPTS = 3;

/**
 * A version that no object has: etcd counts from 2. An apply with a version is a conflict for an
 * object of another version, and the version is ignored where the apply creates the object.
 */
const NO_VERSION = "1";

/** When the server ends a watch; the client then begins a new one. */
const WATCH_SECONDS = 300;

/** In characters; a program may print without ever ending a line. */
const MAX_LOG_LINE = 64 * 1024;

/** In characters; no stored object is as large, because etcd accepts at most 1.5 MiB. */
const MAX_EVENT = 16 * 1024 * 1024;

/** Calls the API server of a cluster over HTTP. */
export class HttpKubeClient implements KubeClient {
  readonly cluster: string;
  readonly #requester: Requester;
  readonly #clock: Clock;
  readonly #paths: ResourcePaths;

  constructor({ access, clock, limits = DEFAULT_LIMITS, onRequest }: HttpKubeClientOptions) {
    this.cluster = access.cluster;
    this.#clock = clock;
    this.#requester = new Requester({ access, clock, limits, onRequest });
    this.#paths = new ResourcePaths(this.#requester);
  }

  async get(ref: ObjectRef, { signal }: KubeCall): Promise<LiveObject | undefined> {
    const path = await this.#paths.of(ref, ref, { signal });
    const asked = this.#asked(`read '${textOf(ref)}'`, ref.namespace);
    const about = { verb: "get", kind: ref.kind } as const;
    const request = { method: "GET", path, signal, asked, about } as const;
    const object = await this.#requester.json(request, "undefined");
    return object as LiveObject | undefined;
  }

  async list(kind: ObjectKind, selection: Selection, { signal }: KubeCall): Promise<ObjectList> {
    const path = await this.#paths.of(kind, selection, { signal });
    const asked = this.#asked(`list ${kind.kind} objects`, selection.namespace);
    const about = { verb: "list", kind: kind.kind } as const;
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#pages(kind, selection, { method: "GET", path, signal, asked, about });
      } catch (error) {
        // The server no longer has the version of the previous pages: begin again.
        if (attempt >= MAX_LIST_ATTEMPTS || !isMpcError(error, "OUT_OF_RANGE")) throw error;
      }
    }
  }

  namespacedKinds(call: KubeCall): Promise<readonly ObjectKind[]> {
    return this.#paths.namespacedKinds(call);
  }

  async apply(
    object: KubernetesObject,
    options: ApplyOptions,
  ): Promise<LiveObject> {
    const { force, dryRun, uid, mustCreate, signal, manager = FIELD_MANAGER } = options;
    const resourceVersion = mustCreate ? NO_VERSION : options.resourceVersion;
    const ref = refOf(object);
    const query = queryOf({
      fieldManager: manager,
      fieldValidation: "Strict",
      force,
      dryRun: dryRun ? "All" : "",
    });
    return await this.#requester.json({
      method: "PATCH",
      path: `${await this.#paths.of(ref, ref, { signal })}${query}`,
      contentType: "application/apply-patch+yaml",
      body: {
        ...object,
        metadata: {
          ...object.metadata,
          ...(uid !== undefined && { uid }),
          ...(resourceVersion !== undefined && { resourceVersion }),
        },
      },
      signal,
      asked: this.#asked(`apply '${textOf(ref)}'`, ref.namespace),
      about: { verb: "apply", kind: ref.kind },
    }) as LiveObject;
  }

  async review(
    question: ObjectKind & { readonly spec?: object },
    { signal }: KubeCall,
  ): Promise<unknown> {
    return await this.#requester.json({
      method: "POST",
      path: await this.#paths.of(question, {}, { signal }),
      contentType: "application/json",
      body: question,
      signal,
      asked: this.#asked(`ask by ${question.kind}`, undefined),
      about: { verb: "create", kind: question.kind },
    });
  }

  async delete(
    ref: ObjectRef,
    { propagation, uid, resourceVersion, signal }: DeleteOptions,
  ): Promise<void> {
    try {
      await this.#requester.json({
        method: "DELETE",
        path: await this.#paths.of(ref, ref, { signal }),
        contentType: "application/json",
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          propagationPolicy: propagation,
          preconditions: { uid, ...(resourceVersion !== undefined && { resourceVersion }) },
        },
        signal,
        asked: this.#asked(`delete '${textOf(ref)}'`, ref.namespace),
        about: { verb: "delete", kind: ref.kind },
      }, "undefined");
    } catch (error) {
      // An object with another uid has this name now, so the one to delete is already gone.
      if (!isMpcError(error, "ABORTED") || error.metadata["precondition"] !== "uid") throw error;
    }
  }

  async *watch(
    kind: ObjectKind,
    selection: Selection,
    { resourceVersion, signal }: KubeCall & { readonly resourceVersion: string },
  ): AsyncGenerator<WatchEvent> {
    const path = await this.#paths.of(kind, selection, { signal });
    const asked = this.#asked(`watch ${kind.kind} objects`, selection.namespace);
    const query = queryOf({
      ...selectors(selection),
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion,
      timeoutSeconds: WATCH_SECONDS,
    });
    const about = { verb: "watch", kind: kind.kind } as const;
    const request = { method: "GET", path: `${path}${query}`, signal, asked, about } as const;
    // The server regularly sends bookmarks, so a silent watch is broken.
    const { idleTimeoutMs: idleMs } = this.#requester.limits;
    const lines = await this.#lines(request, { idleMs, maxLength: MAX_EVENT });
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
    const about = { verb: "logs", kind: "Pod" } as const;
    const request = { method: "GET", path, signal, asked, about } as const;
    const lines = await this.#lines(request, { idleMs, maxLength: MAX_LOG_LINE });
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
      const query = queryOf({ ...selectors(selection), limit: PAGE_SIZE, continue: next });
      const page = await this.#requester.json({
        ...request,
        path: `${request.path}${query}`,
      }) as { metadata: ListMetadata; items?: object[] };
      // Items of a list have no apiVersion and kind of their own.
      items.push(...(page.items ?? []).map((item) => ({ ...kind, ...item } as LiveObject)));
      next = page.metadata.continue ?? "";
      if (next === "") return { items, resourceVersion: page.metadata.resourceVersion };
    } while (true);
  }

  /** The lines of a streamed response. Resolves at the beginning of the response. */
  async #lines(
    request: Request,
    limits: { readonly idleMs: number | null; readonly maxLength: number },
  ): Promise<AsyncIterable<string>> {
    const stream = await this.#requester.stream(request);
    return streamLines(stream, { ...request, ...limits, clock: this.#clock });
  }

  #asked(action: string, namespace: string | undefined) {
    return { action, namespace, cluster: this.cluster };
  }
}

/** @throws {MpcError} UNAVAILABLE `CLUSTER_UNREACHABLE` for a truncated line */
function parseEvent(line: string, asked: Asked): { type: string; object: LiveObject } {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw streamBroken(asked, "ended the stream within a line", error);
  }
}

function selectors({ labelSelector, fieldSelector }: Selection) {
  return { labelSelector, fieldSelector };
}

/** A query string without the parameters that are not set. */
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

/** Parses `2030-01-01T00:00:00.123456789Z text`; undefined for a line without a time. */
function parseLogLine(line: string): PodLogLine | undefined {
  const space = line.indexOf(" ");
  const stamp = space === -1 ? line : line.slice(0, space);
  const time = Date.parse(stamp);
  if (Number.isNaN(time)) return undefined;
  return { time, text: space === -1 ? "" : line.slice(space + 1) };
}

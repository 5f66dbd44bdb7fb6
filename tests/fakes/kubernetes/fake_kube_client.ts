import type { Instant } from "@mpc/domain";
import type {
  ApplyOptions,
  DeleteOptions,
  KubeCall,
  KubeClient,
  ObjectList,
  PodLogLine,
  PodLogQuery,
  Selection,
  WatchEvent,
} from "../../../worker/providers/kubernetes/client/kube_client.ts";
import { FIELD_MANAGER } from "../../../worker/providers/kubernetes/client/kube_client.ts";
import {
  type LiveObject,
  type ObjectKind,
  type ObjectRef,
  refOf,
  textOf,
} from "../../../worker/providers/kubernetes/client/kube_object.ts";
import {
  type Asked,
  statusError,
} from "../../../worker/providers/kubernetes/client/status_error.ts";
import type { KubernetesObject } from "../../../worker/providers/kubernetes/render/mod.ts";
import { aborted, throwIfAborted } from "../../../worker/providers/provider_errors.ts";
import { FakeApiServer, Refused } from "./fake_api_server.ts";

export type Verb = "get" | "list" | "apply" | "delete" | "watch" | "logs" | "review";

/** A cluster's API in memory, with faults on demand. Nothing runs pods unless controllers do. */
export class FakeKubeClient implements KubeClient {
  readonly cluster: string;
  readonly server: FakeApiServer;
  /** How often each verb was called. */
  readonly requests = new Map<Verb, number>();
  /** Fails a call instead of making it. */
  fault: (verb: Verb, subject: ObjectKind | LiveObject) => Error | undefined = () => undefined;
  /** The log lines of a pod's containers. */
  printed: (pod: string) => readonly { readonly time: Instant; readonly text: string }[] = () => [];
  /** What discovery finds, besides the kinds that the provider knows. */
  kinds: readonly ObjectKind[] = [];
  /** Executes a deletion; by default the object is gone at once. */
  onDelete: (object: LiveObject, propagation: DeleteOptions["propagation"]) => void;

  constructor(server: FakeApiServer = new FakeApiServer(), cluster = "fake") {
    this.server = server;
    this.cluster = cluster;
    this.onDelete = (object) => server.remove(refOf(object));
  }

  async get(ref: ObjectRef, { signal }: KubeCall): Promise<LiveObject | undefined> {
    await this.#begin("get", ref, signal);
    return this.server.get(ref);
  }

  async list(kind: ObjectKind, selection: Selection, { signal }: KubeCall): Promise<ObjectList> {
    await this.#begin("list", kind, signal);
    return { items: this.server.list(kind, selection), resourceVersion: this.server.version };
  }

  async namespacedKinds({ signal }: KubeCall): Promise<readonly ObjectKind[]> {
    await this.#begin("list", { apiVersion: "v1", kind: "APIGroup" }, signal);
    return this.kinds;
  }

  async apply(
    object: KubernetesObject,
    { signal, manager = FIELD_MANAGER, ...options }: ApplyOptions,
  ): Promise<LiveObject> {
    await this.#begin("apply", object, signal);
    const { namespace } = object.metadata;
    return this.#asking(
      { action: `apply '${textOf(refOf(object))}'`, cluster: this.cluster, namespace },
      () => this.server.apply(object, { ...options, manager }),
    );
  }

  /** Its users may do everything. */
  async review(question: ObjectKind, { signal }: KubeCall): Promise<unknown> {
    await this.#begin("review", question, signal);
    return { status: { allowed: true } };
  }

  async delete(
    ref: ObjectRef,
    { uid, resourceVersion, propagation, signal }: DeleteOptions,
  ): Promise<void> {
    await this.#begin("delete", ref, signal);
    const object = this.server.get(ref);
    if (object?.metadata.uid !== uid) return;
    if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion) {
      const message = "the ResourceVersion in the precondition does not match";
      const asked = { action: `delete '${textOf(ref)}'`, cluster: this.cluster };
      throw statusError({ code: 409, reason: "Conflict", message }, asked);
    }
    this.onDelete(object, propagation);
  }

  async *watch(
    kind: ObjectKind,
    selection: Selection,
    { resourceVersion, signal }: KubeCall & { readonly resourceVersion: string },
  ): AsyncGenerator<WatchEvent> {
    await this.#begin("watch", kind, signal);
    yield { type: "OPENED" };
    const queue: (WatchEvent | "ended")[] = [];
    let wake = Promise.withResolvers<void>();
    const push = (event: WatchEvent | "ended") => {
      queue.push(event);
      wake.resolve();
    };
    const asked = { action: `watch ${kind.kind} objects`, cluster: this.cluster };
    const stop = this.#asking(
      asked,
      () => this.server.watch(kind, selection, Number(resourceVersion), push),
    );
    const onAbort = () => push("ended");
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      yield { type: "BOOKMARK", resourceVersion };
      for (;;) {
        const event = queue.shift();
        if (event === "ended") {
          if (signal.aborted) throw aborted(signal);
          return;
        }
        if (event) yield event;
        else {
          await wake.promise;
          wake = Promise.withResolvers<void>();
        }
      }
    } finally {
      stop();
      signal.removeEventListener("abort", onAbort);
    }
  }

  async *podLogs({ pod, namespace, tail, since, signal }: PodLogQuery): AsyncGenerator<PodLogLine> {
    await this.#begin("logs", { apiVersion: "v1", kind: "Pod" }, signal);
    const asked = { action: `read the logs of pod '${pod}'`, cluster: this.cluster, namespace };
    if (!this.server.get({ apiVersion: "v1", kind: "Pod", namespace, name: pod })) {
      throw statusError({ code: 404, details: { kind: "pods" } }, asked);
    }
    const lines = this.printed(pod).filter(({ time }) => since === null || time >= since);
    yield* tail === null ? lines : lines.slice(-tail);
  }

  close(): Promise<void> {
    this.server.endWatches();
    return Promise.resolve();
  }

  async #begin(
    verb: Verb,
    subject: ObjectKind | LiveObject,
    signal: AbortSignal,
  ): Promise<void> {
    throwIfAborted(signal);
    await Promise.resolve();
    throwIfAborted(signal);
    this.requests.set(verb, (this.requests.get(verb) ?? 0) + 1);
    const fault = this.fault(verb, subject);
    if (fault) throw fault;
  }

  #asking<T>(asked: Asked, run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (error instanceof Refused) throw statusError(error.status, asked);
      throw error;
    }
  }
}

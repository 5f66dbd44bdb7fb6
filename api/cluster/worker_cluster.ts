import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type CallOptions, type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import {
  abortedByCaller,
  type Instant,
  isMpcError,
  type JsonObject,
  type MpcError,
  type OperationKind,
  type PlannedChange,
} from "@mpc/domain";
import { ChangeAction, type PlannedChange as PlannedChangeMessage } from "@mpc/proto";
import { ClusterService } from "@mpc/proto/internal";
import type {
  ClusterEvent,
  ClusterReader,
  Difference,
  Inventory,
  LogLine,
  LogQuery,
  Planner,
  PodStatus,
  ProviderCall,
  QueuedStep,
  Ref,
  ReviewedToken,
  RolloutStatus,
  TokenReview,
  TokenReviewer,
} from "@mpc/services";
import { answeredError, errorOf, noWorker } from "./worker_error.ts";

/** How long a worker may take to answer before another one is tried. */
const ANSWER_TIMEOUT_MS = 10_000;

/** The same for an answer that does not depend on a cluster. */
const OWN_ANSWER_TIMEOUT_MS = 2_000;

type Worker = Client<typeof ClusterService>;

/**
 * The cluster as seen through workers. The worker that answered last is called first; if it does
 * not answer, another one is called.
 *
 * Besides the ports' failures, every call may fail with `UNAVAILABLE` `NO_WORKER`: no worker
 * answers.
 */
export class WorkerCluster implements ClusterReader, Planner, TokenReviewer {
  readonly #urls: readonly URL[];
  #workers: readonly Worker[];

  /**
   * @param urls of the internal services of workers
   * @param options what calls them, with certificates where they need some, and what traces calls
   */
  constructor(
    urls: readonly URL[],
    { fetch = globalThis.fetch, interceptors = [] }: {
      readonly fetch?: typeof globalThis.fetch | undefined;
      readonly interceptors?: readonly Interceptor[];
    } = {},
  ) {
    this.#urls = urls;
    this.#workers = urls.map(({ href }) =>
      createClient(
        ClusterService,
        createConnectTransport({
          baseUrl: href,
          useBinaryFormat: true,
          interceptors: [...interceptors],
          fetch,
        }),
      )
    );
  }

  /** The name of the workers' provider, or that no worker answers. */
  async provider(): Promise<string> {
    try {
      const { provider } = await this.#ask(
        new AbortController().signal,
        (worker, options) => worker.getCluster({}, options),
      );
      return provider;
    } catch {
      return "unknown, no worker answers";
    }
  }

  /** What keeps the engine of a worker from working, or that no worker answers. */
  async engineProblems(signal: AbortSignal): Promise<readonly MpcError[]> {
    try {
      const { problems } = await this.#ask(
        signal,
        (worker, options) => worker.getEngine({}, { ...options, timeoutMs: OWN_ANSWER_TIMEOUT_MS }),
      );
      return problems.map(errorOf);
    } catch (error) {
      if (signal.aborted || !isMpcError(error)) throw error;
      return [noWorker(this.#urls, error, "execute operations")];
    }
  }

  /** The step of an operation that waits for a slot of a worker; undefined if no worker says it. */
  async queuedStep(operation: string, signal: AbortSignal): Promise<QueuedStep | undefined> {
    try {
      const { queued } = await this.#ask(
        signal,
        (worker, options) =>
          worker.getQueuedStep({ operation }, { ...options, timeoutMs: OWN_ANSWER_TIMEOUT_MS }),
      );
      if (!queued) return undefined;
      const { $typeName: _, ...plain } = queued;
      return plain;
    } catch (error) {
      if (signal.aborted || !isMpcError(error)) throw error;
      return undefined;
    }
  }

  async inventory({ signal }: ProviderCall): Promise<Inventory> {
    const { objects, foreign, clusters, unread } = await this.#ask(
      signal,
      (worker, options) => worker.listObjects({}, options),
    );
    return {
      objects: objects.map(({ $typeName: _, ...object }) => object),
      foreign: foreign.map(({ $typeName: _, ...it }) => it),
      clusters,
      unread: unread.flatMap(({ cluster, error }) =>
        error ? [{ cluster, error: errorOf(error) }] : []
      ),
    };
  }

  async unmanagedObjects(
    { environment, uid, cluster = "" }: Ref,
    { signal }: ProviderCall,
  ): Promise<readonly string[]> {
    const { objects } = await this.#ask(
      signal,
      (worker, options) => worker.listUnmanagedObjects({ environment, uid, cluster }, options),
    );
    return objects;
  }

  async rolloutStatus(
    environment: string,
    workload: string,
    { signal }: ProviderCall,
  ): Promise<RolloutStatus | undefined> {
    const { status } = await this.#ask(
      signal,
      (worker, options) => worker.getRollout({ environment, workload }, options),
    );
    if (!status) return undefined;
    const { $typeName: _, ...plain } = status;
    return plain;
  }

  async pods(
    environment: string,
    workload: string,
    { signal }: ProviderCall,
  ): Promise<readonly PodStatus[]> {
    const { pods } = await this.#ask(
      signal,
      (worker, options) => worker.listPods({ environment, workload }, options),
    );
    return pods.map(({ $typeName: _, createTime, ...pod }) => ({
      ...pod,
      createTime: instant(createTime),
    }));
  }

  async events(
    environment: string,
    workload: string,
    { signal }: ProviderCall,
  ): Promise<readonly ClusterEvent[]> {
    const { events } = await this.#ask(
      signal,
      (worker, options) => worker.listEvents({ environment, workload }, options),
    );
    return events.map(({ $typeName: _, time, ...event }) => ({ ...event, time: instant(time) }));
  }

  async changes(
    kind: OperationKind,
    target: string,
    input: JsonObject,
    signal: AbortSignal,
  ): Promise<readonly PlannedChange[]> {
    const plain = JSON.parse(JSON.stringify(input));
    const { changes } = await this.#ask(
      signal,
      (worker, options) => worker.planOperation({ kind, target, input: plain }, options),
    );
    return changes.map(changeOf);
  }

  async drift(target: string, signal: AbortSignal): Promise<readonly Difference[]> {
    const { differences } = await this.#ask(
      signal,
      (worker, options) => worker.compareResource({ name: target }, options),
    );
    return differences.flatMap(({ change, remedy }) =>
      change ? [{ ...changeOf(change), ...(remedy !== "" && { remedy }) }] : []
    );
  }

  async reviewToken(
    { cluster, token, audience }: TokenReview,
    { signal }: ProviderCall,
  ): Promise<ReviewedToken> {
    const { username, audiences } = await this.#ask(
      signal,
      (worker, options) => worker.reviewToken({ cluster, token, audience }, options),
    );
    return { username: username || null, audiences };
  }

  async *logs(environment: string, workload: string, query: LogQuery): AsyncGenerator<LogLine> {
    const { signal, follow, tail, since, replica } = query;
    const request = {
      environment,
      workload,
      follow,
      ...(tail !== null && { tail }),
      ...(since !== null && { since: timestampFromMs(since) }),
      replica: replica ?? "",
    };
    const { first, lines } = await this.#ask(signal, async (worker) => {
      const lines = worker.streamLogs(request, { signal })[Symbol.asyncIterator]();
      return { first: await unlessAborted(lines.next(), signal), lines };
    });
    for (let next = first; !next.done;) {
      const { replica, text, time } = next.value;
      yield { replica, text, time: instant(time) };
      try {
        next = await unlessAborted(lines.next(), signal);
      } catch (error) {
        throw this.#failed(error, signal);
      }
    }
  }

  /** Calls one worker after another until one answers. */
  async #ask<T>(
    signal: AbortSignal,
    call: (worker: Worker, options: CallOptions) => Promise<T>,
  ): Promise<T> {
    let last: unknown;
    for (const worker of this.#workers) {
      try {
        const answer = await call(worker, { signal, timeoutMs: ANSWER_TIMEOUT_MS });
        this.#prefer(worker);
        return answer;
      } catch (error) {
        if (signal.aborted || answeredError(error)) throw this.#failed(error, signal);
        last = error;
      }
    }
    throw this.#failed(last, signal);
  }

  #prefer(worker: Worker): void {
    if (this.#workers[0] === worker) return;
    this.#workers = [worker, ...this.#workers.filter((other) => other !== worker)];
  }

  #failed(error: unknown, signal: AbortSignal): MpcError {
    if (signal.aborted) return abortedByCaller("go on asking a worker", error);
    return answeredError(error) ?? noWorker(this.#urls, error);
  }
}

/** The time is always set by workers. */
const instant = (time: Timestamp | undefined): Instant => time ? timestampMs(time) : 0;

function changeOf({ action, object, fields, note }: PlannedChangeMessage): PlannedChange {
  return {
    action: actionOf(action),
    object,
    fields: fields.map(({ $typeName: _, ...field }) => field),
    ...(note !== "" && { note }),
  };
}

function actionOf(action: ChangeAction): PlannedChange["action"] {
  switch (action) {
    case ChangeAction.CREATE:
      return "CREATE";
    case ChangeAction.DELETE:
      return "DELETE";
    default:
      return "UPDATE";
  }
}

/** In Deno 2.9, an abort at the wrong moment does not end the read of a body. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

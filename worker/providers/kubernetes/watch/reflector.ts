import { getLogger } from "@logtape/logtape";
import { isMpcError, recordError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import type { KubeClient, Selection } from "../client/kube_client.ts";
import type { LiveObject, ObjectKind } from "../client/kube_object.ts";
import { PermissionGrace } from "./permission_grace.ts";

const log = getLogger(["mpc", "kubernetes", "watch"]);

/** A copy of the objects of one kind. */
export interface ReflectorTarget {
  /** Replaces the copy by all objects of this version. */
  replace(objects: readonly LiveObject[], resourceVersion: string): void;
  /** Adds or updates one object. */
  put(object: LiveObject): void;
  remove(object: LiveObject): void;
  /** The copy is stale for this reason, until `recovered`. */
  failed(error: unknown): void;
  recovered(): void;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
const SHORTEST_WATCH_MS = 1_000;

/**
 * Keeps a copy in sync with the cluster until the signal is aborted. It lists, then watches, resumes
 * from the last version that it received, and lists again if that version is too old (Kubernetes API
 * concepts, "Efficient detection of changes"). Failures are retried with exponential backoff.
 */
export async function reflect(options: {
  readonly client: KubeClient;
  readonly kind: ObjectKind;
  readonly selection: Selection;
  readonly target: ReflectorTarget;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { client, kind, selection, target, clock, signal } = options;
  let resourceVersion: string | undefined;
  let listedAt: number | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  const permission = new PermissionGrace(clock);
  while (!signal.aborted) {
    try {
      if (resourceVersion === undefined) {
        const list = await client.list(kind, selection, { signal });
        target.replace(list.items, list.resourceVersion);
        resourceVersion = list.resourceVersion;
        listedAt = clock.monotonic();
        target.recovered();
      }
      const from = { resourceVersion, signal };
      const began = clock.monotonic();
      for await (const event of client.watch(kind, selection, from)) {
        if (event.type === "OPENED") {
          permission.granted();
          target.recovered();
          continue;
        }
        pauseMs = FIRST_PAUSE_MS;
        if (event.type === "BOOKMARK") {
          resourceVersion = event.resourceVersion;
          continue;
        }
        resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
        if (event.type === "DELETED") target.remove(event.object);
        else target.put(event.object);
      }
      // A server normally keeps a watch for minutes; one that ends it at once gets a pause.
      if (clock.monotonic() - began < SHORTEST_WATCH_MS) {
        await sleepUnlessAborted(clock, pauseMs, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isMpcError(error, "OUT_OF_RANGE")) {
        resourceVersion = undefined;
        // A server that has already lost the version it just listed gets a pause.
        if (listedAt !== undefined && clock.monotonic() - listedAt < SHORTEST_WATCH_MS) {
          await sleepUnlessAborted(clock, pauseMs, signal);
          pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
        }
        continue;
      }
      target.failed(permission.classify(error));
      log.warn("Cannot watch {kind} of cluster {cluster}, again in {pauseMs} ms: {error}", {
        kind: kind.kind,
        cluster: client.cluster,
        pauseMs,
        error: recordError(error),
      });
      await sleepUnlessAborted(clock, pauseMs, signal);
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    }
  }
}

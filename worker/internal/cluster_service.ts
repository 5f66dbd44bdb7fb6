import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  MpcError,
  OPERATION_KINDS,
  type OperationKind,
  type PlannedChange,
  recordError,
} from "@mpc/domain";
import { ChangeAction, PlannedChangeSchema } from "@mpc/proto";
import {
  type ClusterService,
  CompareResourceResponseSchema,
  GetClusterResponseSchema,
  GetEngineResponseSchema,
  GetQueuedStepResponseSchema,
  GetRolloutResponseSchema,
  ListEventsResponseSchema,
  ListObjectsResponseSchema,
  ListPodsResponseSchema,
  ListUnmanagedObjectsResponseSchema,
  PlanOperationResponseSchema,
  ReviewTokenResponseSchema,
  StreamLogsResponseSchema,
} from "@mpc/proto/internal";
import type { ClusterReader, Planner, TokenReviewer } from "@mpc/services";
import { type HostedEngine, problemsOf } from "../engine/hosted_engine.ts";
import { errorMessage } from "./report_errors.ts";

/** The sources of the internal service's answers. */
export interface ClusterSources {
  readonly cluster: ClusterReader & TokenReviewer & { readonly name: string };
  readonly planner: Planner;
  readonly engine: HostedEngine;
}

/** Reads of the cluster for the API, which cannot reach it. */
export function clusterService(
  { cluster, planner, engine }: ClusterSources,
): ServiceImpl<typeof ClusterService> {
  return {
    getCluster() {
      return create(GetClusterResponseSchema, { provider: cluster.name });
    },
    getEngine() {
      const problems = problemsOf(engine).map((error) => errorMessage(recordError(error)));
      return create(GetEngineResponseSchema, { problems });
    },
    async getQueuedStep({ operation }) {
      const queued = await engine.queued?.(operation);
      return create(GetQueuedStepResponseSchema, { ...(queued && { queued: { ...queued } }) });
    },
    async listObjects(_request, { signal }) {
      const { objects, foreign, clusters, unread } = await cluster.inventory({ signal });
      return create(ListObjectsResponseSchema, {
        objects: objects.map((it) => ({ ...it })),
        foreign: foreign.map((it) => ({ ...it })),
        clusters: [...clusters],
        unread: unread.map(({ cluster, error }) => ({
          cluster,
          error: errorMessage(recordError(error)),
        })),
      });
    },
    async listUnmanagedObjects({ environment, uid, cluster: name }, { signal }) {
      const ref = { environment, uid, ...(name !== "" && { cluster: name }) };
      const objects = await cluster.unmanagedObjects(ref, { signal });
      return create(ListUnmanagedObjectsResponseSchema, { objects: [...objects] });
    },
    async getRollout({ environment, workload }, { signal }) {
      const status = await cluster.rolloutStatus(environment, workload, { signal });
      return create(GetRolloutResponseSchema, { ...(status && { status: { ...status } }) });
    },
    async listPods({ environment, workload }, { signal }) {
      const pods = await cluster.pods(environment, workload, { signal });
      return create(ListPodsResponseSchema, {
        pods: pods.map((pod) => ({ ...pod, createTime: timestampFromMs(pod.createTime) })),
      });
    },
    async listEvents({ environment, workload }, { signal }) {
      const events = await cluster.events(environment, workload, { signal });
      return create(ListEventsResponseSchema, {
        events: events.map((event) => ({ ...event, time: timestampFromMs(event.time) })),
      });
    },
    async planOperation({ kind, target, input = {} }, { signal }) {
      const changes = await planner.changes(kindOf(kind), target, input, signal);
      return create(PlanOperationResponseSchema, { changes: changes.map(changeMessage) });
    },
    async compareResource({ name }, { signal }) {
      const differences = await planner.drift(name, signal);
      return create(CompareResourceResponseSchema, {
        differences: differences.map((it) => ({
          change: changeMessage(it),
          remedy: it.remedy ?? "",
        })),
      });
    },
    async reviewToken({ cluster: name, token, audience }, { signal }) {
      const review = { cluster: name, token, audience };
      const { username, audiences } = await cluster.reviewToken(review, { signal });
      return create(ReviewTokenResponseSchema, {
        username: username ?? "",
        audiences: [...audiences],
      });
    },
    async *streamLogs({ environment, workload, follow, tail, since, replica }, { signal }) {
      const lines = cluster.logs(environment, workload, {
        signal,
        follow,
        tail: tail ?? null,
        since: since ? timestampMs(since) : null,
        replica: replica || null,
      });
      for await (const { replica, time, text } of lines) {
        yield create(StreamLogsResponseSchema, { replica, time: timestampFromMs(time), text });
      }
    },
  };
}

const changeMessage = ({ action, object, fields, note = "" }: PlannedChange) =>
  create(PlannedChangeSchema, {
    action: ChangeAction[action],
    object,
    note,
    fields: fields.map((field) => ({ ...field })),
  });

function kindOf(text: string): OperationKind {
  const kind = OPERATION_KINDS.find((kind) => kind === text);
  if (kind) return kind;
  throw new MpcError("INVALID_ARGUMENT", {
    reason: "UNKNOWN_KIND",
    message: `Cannot plan a '${text}': this worker knows ${OPERATION_KINDS.join(", ")}`,
  });
}

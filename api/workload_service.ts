import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { callerOf } from "@mpc/process";
import {
  ClusterEventSchema,
  ListClusterEventsResponseSchema,
  ListPodsResponseSchema,
  ListRevisionsResponseSchema,
  ListWorkloadsResponseSchema,
  PodSchema,
  RevisionSchema,
  StreamLogsResponseSchema,
  WorkloadSchema,
  type WorkloadService,
} from "@mpc/proto";
import {
  deleteWorkload,
  deployWorkload,
  getRevision,
  getWorkload,
  listClusterEvents,
  listPods,
  listRevisions,
  listWorkloads,
  reconcileWorkload,
  restartWorkload,
  rollbackWorkload,
  scaleWorkload,
  type ServiceDeps,
  streamLogs,
} from "@mpc/services";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { toClusterEvent, toPod } from "./mapping/pod_mapping.ts";
import { toMutationAnswer } from "./mapping/operation_mapping.ts";
import { readMask } from "./mapping/read_mask.ts";
import { fromDuration, toTimestamp } from "./mapping/values.ts";
import { fromWorkload, toRevision, toWorkload } from "./mapping/workload_mapping.ts";

/** The workload methods of the API. */
export function workloadService(deps: ServiceDeps): ServiceImpl<typeof WorkloadService> {
  return {
    async deployWorkload(request, context) {
      const workload = fromWorkload(request.workload);
      const etag = request.workload?.etag ?? "";
      const timeoutMs = fromDuration(request.timeout);
      return toMutationAnswer(
        await deployWorkload(deps, callerOf(context), { ...request, workload, etag, timeoutMs }),
      );
    },
    async getWorkload({ name }, context) {
      return toWorkload(await getWorkload(deps, callerOf(context), name));
    },
    async listWorkloads(request, context) {
      const mask = readMask(WorkloadSchema, request.readMask, "list workloads");
      const { items, nextPageToken } = await listWorkloads(deps, callerOf(context), request);
      return create(ListWorkloadsResponseSchema, {
        workloads: items.map((item) => mask(toWorkload(item))),
        nextPageToken,
      });
    },
    async deleteWorkload(request, context) {
      const timeoutMs = fromDuration(request.timeout);
      return toMutationAnswer(
        await deleteWorkload(deps, callerOf(context), { ...request, timeoutMs }),
      );
    },
    async rollbackWorkload(request, context) {
      return toMutationAnswer(await rollbackWorkload(deps, callerOf(context), request));
    },
    async scaleWorkload(request, context) {
      return toMutationAnswer(await scaleWorkload(deps, callerOf(context), request));
    },
    async restartWorkload(request, context) {
      return toMutationAnswer(await restartWorkload(deps, callerOf(context), request));
    },
    async reconcileWorkload(request, context) {
      return toMutationAnswer(await reconcileWorkload(deps, callerOf(context), request));
    },
    async listPods(request, context) {
      const mask = readMask(PodSchema, request.readMask, "list pods");
      const { items, ...page } = await listPods(deps, callerOf(context), request);
      const pods = items.map((item) => mask(toPod(item)));
      return create(ListPodsResponseSchema, { ...page, unreachable: [...page.unreachable], pods });
    },
    async listClusterEvents(request, context) {
      const mask = readMask(ClusterEventSchema, request.readMask, "list cluster events");
      const { items, ...page } = await listClusterEvents(deps, callerOf(context), request);
      const events = items.map((item) => mask(toClusterEvent(item)));
      return create(ListClusterEventsResponseSchema, {
        ...page,
        unreachable: [...page.unreachable],
        events,
      });
    },
    async getRevision({ name }, context) {
      const { revision, activeRevision } = await getRevision(deps, callerOf(context), name);
      return toRevision(revision, activeRevision);
    },
    async listRevisions(request, context) {
      const mask = readMask(RevisionSchema, request.readMask, "list revisions");
      const { items, nextPageToken, activeRevision } = await listRevisions(
        deps,
        callerOf(context),
        request,
      );
      const revisions = items.map((item) => mask(toRevision(item, activeRevision)));
      return create(ListRevisionsResponseSchema, { revisions, nextPageToken });
    },
    async *streamLogs({ name, follow, tail, since, replica }, context) {
      const query = {
        name,
        follow,
        tail: tail || null,
        since: since ? timestampMs(since) : null,
        replica: replica || null,
      };
      for await (const { replica, time, text } of streamLogs(deps, callerOf(context), query)) {
        yield create(StreamLogsResponseSchema, { replica, text, time: toTimestamp(time) });
      }
    },
  };
}

import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { callerOf } from "@mpc/process";
import {
  ListClusterEventsResponseSchema,
  ListPodsResponseSchema,
  ListRevisionsResponseSchema,
  ListWorkloadsResponseSchema,
  StreamLogsResponseSchema,
  type WorkloadService,
} from "@mpc/proto";
import {
  deleteWorkload,
  deployWorkload,
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
      const { items, nextPageToken } = await listWorkloads(deps, callerOf(context), request);
      return create(ListWorkloadsResponseSchema, {
        workloads: items.map(toWorkload),
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
    async listPods({ parent }, context) {
      const pods = await listPods(deps, callerOf(context), parent);
      return create(ListPodsResponseSchema, { pods: pods.map(toPod) });
    },
    async listClusterEvents({ parent }, context) {
      const events = await listClusterEvents(deps, callerOf(context), parent);
      return create(ListClusterEventsResponseSchema, { events: events.map(toClusterEvent) });
    },
    async listRevisions(request, context) {
      const { items, nextPageToken, activeRevision } = await listRevisions(
        deps,
        callerOf(context),
        request,
      );
      const revisions = items.map((item) => toRevision(item, activeRevision));
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

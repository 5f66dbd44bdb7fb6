/** What clusters tell about workloads, as the API shows it. */
import { create } from "@bufbuild/protobuf";
import { type ClusterEvent, ClusterEventSchema, type Pod, PodSchema } from "@mpc/proto";
import type { ClusterEvent as ClusterEventRecord, PodStatus } from "@mpc/services";
import { toTimestamp } from "./values.ts";

type OfWorkload<T> = T & { readonly workload: string };

export function toPod({ createTime, ...pod }: OfWorkload<PodStatus>): Pod {
  return create(PodSchema, { ...pod, createTime: toTimestamp(createTime) });
}

export function toClusterEvent({ time, ...event }: OfWorkload<ClusterEventRecord>): ClusterEvent {
  return create(ClusterEventSchema, { ...event, time: toTimestamp(time) });
}

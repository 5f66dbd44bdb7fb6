/** Pods and events of a cluster in the API's form. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ClusterEventSchema, PodSchema } from "@mpc/proto";
import type { ClusterEvent, PodStatus } from "@mpc/services";
import { toTimestamp } from "./values.ts";

export function toPod({ createTime, ...pod }: PodStatus): MessageInitShape<typeof PodSchema> {
  return { ...pod, createTime: toTimestamp(createTime) };
}

export function toClusterEvent(
  { time, ...event }: ClusterEvent,
): MessageInitShape<typeof ClusterEventSchema> {
  return { ...event, time: toTimestamp(time) };
}

import type { ErrorRecord } from "./error_record.ts";
import type { Instant } from "./time.ts";

/**
 * Whether a failure only says that a cluster does not answer: a refused or broken connection, an API
 * server that starts or shuts down, a call that the circuit breaker did not let through. It says
 * nothing about the request, which can be repeated as soon as the cluster answers. Its metadata may
 * have `cluster`, `since` (since when it does not answer) and `nextTrial` (every call fails until
 * then), moments in ISO 8601.
 */
export const isOutage = ({ reason }: Pick<ErrorRecord, "reason">): boolean =>
  reason === "CLUSTER_UNREACHABLE";

/** A moment in the metadata of an outage; undefined where it is not known. */
export function momentOfOutage(
  { metadata }: Pick<ErrorRecord, "metadata">,
  key: "since" | "nextTrial",
): Instant | undefined {
  const moment = Date.parse(metadata[key] ?? "");
  return Number.isNaN(moment) ? undefined : moment;
}

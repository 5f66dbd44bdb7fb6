import type { ErrorRecord } from "./error_record.ts";
import type { ErrorReason } from "./reasons.ts";

/** Between the objects in the metadata of an error; no object's name has it. */
const SEPARATOR = ", ";

/** A longer list is left out: it would fill the error, and then everything is undone. */
const MAX_LENGTH = 2_000;

/** Failures that come before any request to the cluster; the ports document what each means. */
const NOBODY_ASKED: ReadonlySet<ErrorReason> = new Set([
  "ENVIRONMENT_NOT_FOUND",
  "ENVIRONMENT_NOT_READY",
  "UNKNOWN_CLUSTER",
  "CLUSTER_CLAIMED_ELSEWHERE",
  "KUBECONFIG_UNUSABLE",
  "CLUSTER_CREDENTIALS",
  "CLUSTER_NOT_TRUSTED",
]);

/**
 * The metadata with which a failed call to a provider says what it may have made, changed or deleted
 * before it failed, as `Kind/namespace/name`. What was refused for certain is not in the list.
 */
export function madeMetadata(objects: readonly string[]): Readonly<Record<string, string>> {
  const made = objects.join(SEPARATOR);
  return made.length > MAX_LENGTH ? {} : { made };
}

/** What a failed attempt may have changed on the cluster; undefined where it is not known. */
export function madeBy(
  { reason, metadata: { made } }: Pick<ErrorRecord, "reason" | "metadata">,
): readonly string[] | undefined {
  if (made !== undefined) return made === "" ? [] : made.split(SEPARATOR);
  return NOBODY_ASKED.has(reason) ? [] : undefined;
}

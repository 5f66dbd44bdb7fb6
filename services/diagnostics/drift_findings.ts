/** Differences of clusters from what was applied, object by object. */
import {
  adviceFor,
  DRIFTED,
  type Environment,
  isMpcError,
  type MpcError,
  type Workload,
} from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { isApplied } from "../resources/is_applied.ts";
import { describeDrift, revertCommand } from "./describe_drift.ts";
import type { Finding } from "./findings.ts";

/** How many resources are compared at once. */
const AT_ONCE = 8;

/** A caller waits for the comparison, so resources that take longer are not compared. */
const COMPARED_WITHIN_MS = 10_000;

type Resource = Environment | Workload;

/**
 * Compares each resource with its cluster. The result for a resource that cannot be compared in time
 * is that of the last pass of the drift watch.
 */
export async function driftFindings(
  deps: ServiceDeps,
  caller: Caller,
  resources: readonly Resource[],
): Promise<readonly Finding[]> {
  const { clock } = deps;
  const end = clock.monotonic() + COMPARED_WITHIN_MS;
  const left = resources.filter(isApplied);
  const findings: Finding[] = [];
  const failed: Uncompared[] = [];
  const compareNext = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      const result = clock.monotonic() < end ? await compare(deps, caller, next) : asWatched(next);
      if ("error" in result) failed.push(result);
      else findings.push(...result);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, compareNext));
  const bySubject = (a: Finding, b: Finding) => a.subject < b.subject ? -1 : 1;
  return [...findings, ...uncompared(failed)].toSorted(bySubject);
}

/** A resource that cannot be compared, although its cluster can be read. */
interface Uncompared {
  readonly resource: Resource;
  readonly error: MpcError;
}

async function compare(
  deps: ServiceDeps,
  caller: Caller,
  resource: Resource,
): Promise<readonly Finding[] | Uncompared> {
  const { planner } = deps;
  try {
    const seen = await planner.drift(resource.name, caller.signal);
    if (seen.length === 0) return [];
    // An operation that began or ended meanwhile may be the reason.
    const differences = await planner.drift(resource.name, caller.signal);
    if (differences.length === 0) return [];
    const { message, remedy } = describeDrift(resource, differences);
    return [{ invariant: "RESOURCE_DRIFTED", subject: resource.name, message, remedy }];
  } catch (error) {
    if (caller.signal.aborted || !isMpcError(error)) throw error;
    return error.retryable ? asWatched(resource) : { resource, error };
  }
}

/** The result of the drift watch. */
function asWatched(resource: Resource): readonly Finding[] {
  const drifted = resource.conditions.find(({ type }) => type === DRIFTED);
  if (drifted?.status !== "TRUE") return [];
  return [{
    invariant: "RESOURCE_DRIFTED",
    subject: resource.name,
    message: drifted.message,
    remedy: drifted.remedy ?? revertCommand(resource),
  }];
}

/** One finding for each reason, because a missing permission makes every comparison fail. */
function uncompared(failed: readonly Uncompared[]): readonly Finding[] {
  return [...Map.groupBy(failed, ({ error }) => error.reason).values()].flatMap(
    ([first, ...others]) => {
      if (!first) return [];
      const more = others.length > 0 ? `, and ${others.length} more` : "";
      return [{
        invariant: "RESOURCE_DRIFTED" as const,
        subject: first.resource.name,
        message: `It cannot be compared with its cluster${more}: ${first.error.message}`,
        remedy: adviceFor(first.error).command,
      }];
    },
  );
}

/** How a step waits for a cluster that does not answer. */
import { type ErrorRecord, type Instant, momentOfOutage } from "@mpc/domain";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Steps that wait for the same trial of a circuit breaker spread over this time after it. */
const SPREAD_MS = 500;

/** Whatever a provider says about its next trial: its clock may have been set meanwhile. */
const LONGEST_TRIAL_MS = 60_000;

/**
 * The pause until the cluster is looked at again: when the provider's circuit breaker lets a call
 * through, otherwise growing with the outage.
 * @param random in [0, 1)
 */
export function pauseOfOutage(
  error: ErrorRecord,
  { since, now, random }: {
    readonly since: Instant;
    readonly now: Instant;
    readonly random: number;
  },
): number {
  const trial = momentOfOutage(error, "nextTrial");
  if (trial !== undefined) {
    const untilTrial = Math.min(LONGEST_TRIAL_MS, Math.max(0, trial - now));
    return untilTrial + Math.floor(random * SPREAD_MS);
  }
  const ceiling = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, (now - since) / 2));
  return Math.floor(ceiling * (1 + random) / 2);
}

/** Says what a step waits for and how long; it is the step's progress meanwhile. */
export function tellOutage(
  { metadata: { cluster } }: ErrorRecord,
  { since, again, until }: {
    readonly since: Instant;
    readonly again: Instant;
    readonly until: Instant;
  },
): string {
  const [from, next, end] = [since, again, until].map((moment) => new Date(moment).toISOString());
  return `${clusterText(cluster)} has not answered since ${from}; it is tried again at ${next}, ` +
    `and the operation goes on by itself until ${end}`;
}

/** Says that the time of a step was up before the cluster answered. */
export const tellGivenUp = (
  { metadata: { cluster } }: ErrorRecord,
  since: Instant,
): string => `${clusterText(cluster)} has not answered since ${new Date(since).toISOString()}`;

const clusterText = (name: string | undefined): string =>
  name === undefined ? "the cluster" : `cluster '${name}'`;

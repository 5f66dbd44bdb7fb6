import { isMpcError } from "@mpc/domain";

/**
 * Why watches do not follow at this time, given the failures of each; undefined while all do.
 * @throws the first failure that does not pass by itself, for instance `CLUSTER_FORBIDS`
 */
export function troubleOf(failures: readonly unknown[]): unknown {
  const troubles = failures.filter((failure) => failure !== undefined);
  const permanent = troubles.find((failure) => !isMpcError(failure, "UNAVAILABLE"));
  if (permanent !== undefined) throw permanent;
  return troubles[0];
}

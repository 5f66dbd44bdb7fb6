import { invalidArgument, REDACTED, type WorkloadSpec } from "@mpc/domain";

/**
 * Puts secrets back where a spec that was read from an answer comes in again: a value that reads
 * as redacted is the one that is there already.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS` where there is none to keep
 */
export function keepRedacted(
  action: string,
  wanted: WorkloadSpec,
  current: WorkloadSpec | undefined,
): WorkloadSpec {
  const redacted = Object.keys(wanted.env).filter((key) => wanted.env[key] === REDACTED);
  if (redacted.length === 0) return wanted;
  const kept = current?.env ?? {};
  const unknown = redacted.filter((key) => !Object.hasOwn(kept, key));
  if (unknown.length > 0) {
    throw invalidArgument(
      action,
      unknown.map((key) => ({
        field: `workload.spec.env[${key}]`,
        value: REDACTED,
        rule: "REDACTED",
        hint: "is redacted, and there is no value to keep; set it anew",
      })),
    );
  }
  const values = redacted.map((key) => [key, kept[key]!]);
  return { ...wanted, env: { ...wanted.env, ...Object.fromEntries(values) } };
}

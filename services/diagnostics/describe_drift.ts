import { type Environment, environmentIdOf, idOf, type Workload } from "@mpc/domain";
import type { Difference } from "../ports/mod.ts";

/** The maximum number of differences in one message. */
const MAX_DESCRIBED = 5;

/** Says what differs from what was applied, and the command that reverts it. */
export function describeDrift(
  resource: Environment | Workload,
  differences: readonly Difference[],
): { readonly message: string; readonly remedy: string } {
  const all = differences.flatMap(textsOf);
  const more = all.length > MAX_DESCRIBED ? `; and ${all.length - MAX_DESCRIBED} more` : "";
  const refused = differences.find(({ remedy }) => remedy !== undefined);
  return {
    message: `${all.slice(0, MAX_DESCRIBED).join("; ")}${more}`,
    remedy: refused?.remedy ?? revertCommand(resource),
  };
}

function textsOf({ action, object, fields }: Difference): readonly string[] {
  if (action === "CREATE") return [`${object} is missing`];
  if (action === "DELETE") return [`${object} should not be there`];
  return fields.map(({ path, before, after }) =>
    path === "metadata.deletionTimestamp"
      ? `${object} is being deleted`
      : `${object} has ${path} ${before || "unset"} in place of ${after || "unset"}`
  );
}

/** Applies the record again, and takes over what somebody else manages now. */
export function revertCommand(resource: Environment | Workload): string {
  const id = idOf(resource.name);
  return "spec" in resource
    ? `mpctl workload reconcile ${id} --env ${environmentIdOf(resource.name)}`
    : `mpctl env update ${id} --force-conflicts`;
}

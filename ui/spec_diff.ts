import { toJson } from "@bufbuild/protobuf";
import { type WorkloadSpec, WorkloadSpecSchema } from "@mpc/proto";

/** One field of two specs. */
export interface DiffRow {
  /** For instance `resources.cpu` or `ports[0].port`. */
  readonly path: string;
  /** Undefined if the spec does not have the field. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Every field of two specs side by side, sorted by path. */
export function specDiff(
  before: WorkloadSpec | undefined,
  after: WorkloadSpec | undefined,
): readonly DiffRow[] {
  const [left, right] = [fieldsOf(before), fieldsOf(after)];
  const paths = [...new Set([...left.keys(), ...right.keys()])]
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return paths.map((path) => ({ path, before: left.get(path), after: right.get(path) }));
}

function fieldsOf(spec: WorkloadSpec | undefined): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  const add = (path: string, value: unknown): void => {
    if (Array.isArray(value)) value.forEach((item, index) => add(`${path}[${index}]`, item));
    else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) add(path ? `${path}.${key}` : key, item);
    } else fields.set(path, String(value));
  };
  if (spec) add("", toJson(WorkloadSpecSchema, spec));
  return fields;
}

/** Compares two states of an object field by field, without the fields that the server manages. */
import { type FieldChange, type PlannedChange, REDACTED } from "@mpc/domain";
import { type LiveObject, refOf, textOf } from "../client/kube_object.ts";
import { ENV_CHECKSUM, KIND_HISTORY, REVISION, TRACEPARENT } from "../render/mod.ts";

/**
 * The change from one state of an object to another; undefined if they are equal.
 *
 * List elements are named by their merge key, for instance
 * `spec.template.spec.containers[web].image`. Values of environment variables and secrets are
 * compared, but shown redacted.
 */
export function diffObjects(
  before: LiveObject | undefined,
  after: LiveObject,
  shown: ShownValues = "all but secrets",
): PlannedChange | undefined {
  const object = textOf(refOf(after));
  if (!before) return { action: "CREATE", object, fields: [] };
  const allowed = after.kind === "Secret" ? "none" : shown;
  const fields = diffFields(fieldsOf(before), fieldsOf(after), allowed);
  return fields.length === 0 ? undefined : { action: "UPDATE", object, fields };
}

/** The deletion of an object. */
export function deletionOf(object: LiveObject): PlannedChange {
  return { action: "DELETE", object: textOf(refOf(object)), fields: [] };
}

function diffFields(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  shown: ShownValues,
): readonly FieldChange[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  const show = (path: string, value: string | undefined): string =>
    value === undefined ? "" : isShown(path, shown) ? value : JSON.stringify(REDACTED);
  return [...paths].filter((path) =>
    before.get(path) !== after.get(path) && !isFilled(path, before, after) &&
    !isFilled(path, after, before)
  ).map((path) => ({
    path,
    before: show(path, before.get(path)),
    after: show(path, after.get(path)),
  }));
}

const EMPTY_MAP = "{}";

/** Whether a map is empty on one side and has leaves on the other, which say what differs. */
const isFilled = (
  path: string,
  one: ReadonlyMap<string, string>,
  other: ReadonlyMap<string, string>,
): boolean =>
  one.get(path) === EMPTY_MAP &&
  other.keys().some((it) => it.startsWith(`${path}.`) || it.startsWith(`${path}[`));

/** Which values a change shows. For a chart, the path of a field does not tell what is secret. */
export type ShownValues = "all but secrets" | "never secret" | "none";

function isShown(path: string, shown: ShownValues): boolean {
  if (shown === "none") return false;
  return shown === "never secret" ? NEVER_SECRET.test(path) : !SECRET_PATH.test(path);
}

/** The most useful fields of a chart; any other field may contain a secret value. */
const NEVER_SECRET = /\.(image|replicas|containerPort|port|targetPort|cpu|memory)$/;

/** Values of environment variables, and their checksum, which would confirm a guessed value. */
const SECRET_PATH = new RegExp(`\\.env\\[[^\\]]*\\]\\.value$|${ENV_CHECKSUM}`);

/** Fields that the server writes, and fields for bookkeeping. */
const IGNORED: ReadonlySet<string> = new Set([
  "status",
  "metadata.managedFields",
  "metadata.resourceVersion",
  "metadata.generation",
  "metadata.uid",
  "metadata.creationTimestamp",
  "metadata.selfLink",
  `metadata.annotations[${REVISION}]`,
  `metadata.annotations[${KIND_HISTORY}]`,
  `metadata.annotations[${TRACEPARENT}]`,
  "metadata.annotations[deployment.kubernetes.io/revision]",
]);

/** The leaves of an object by path, as JSON. */
function fieldsOf(object: LiveObject): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  for (const [key, value] of Object.entries(object)) collect(leaves, key, value);
  return leaves;
}

function collect(leaves: Map<string, string>, path: string, value: unknown): void {
  if (IGNORED.has(path)) return;
  const children = childrenOf(path, value);
  if (!children) leaves.set(path, JSON.stringify(value));
  else for (const [childPath, child] of children) collect(leaves, childPath, child);
}

function childrenOf(path: string, value: unknown): readonly (readonly [string, unknown])[] | null {
  if (value === null || typeof value !== "object") return null;
  if (Array.isArray(value)) {
    const keys = listKeys(value);
    return value.length === 0
      ? null
      : value.map((item, index) => [`${path}[${keys[index]}]`, item]);
  }
  const entries = Object.entries(value);
  // In a list it has a meaning, for instance "all pods" in a network policy. Elsewhere it has no
  // leaves, so it equals a missing one.
  if (entries.length === 0 && path.includes("[")) return null;
  return entries.map(([key, child]) => [
    /^[A-Za-z]\w*$/.test(key) ? `${path}.${key}` : `${path}[${key}]`,
    child,
  ]);
}

/** The merge keys of lists (Kubernetes, "Merge strategy": list map keys). */
const MERGE_KEYS = [
  "name",
  "mountPath",
  "containerPort",
  "port",
  "topologyKey",
  "type",
  "ip",
] as const;

function listKeys(list: readonly unknown[]): readonly (string | number)[] {
  for (const key of MERGE_KEYS) {
    const values = list.map((item) =>
      item !== null && typeof item === "object" ? (item as Record<string, unknown>)[key] : undefined
    );
    const named = values.every((value) => typeof value === "string" || typeof value === "number");
    if (named && new Set(values).size === values.length) return values as (string | number)[];
  }
  return list.map((_, index) => index);
}

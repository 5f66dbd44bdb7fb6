/** What would change about an object, field by field, without the server's own bookkeeping. */
import { type FieldChange, type PlannedChange, REDACTED } from "@mpc/domain";
import { type LiveObject, refOf, textOf } from "../client/kube_object.ts";
import { ENV_CHECKSUM, KINDS_HAD, REVISION } from "../render/mod.ts";

/**
 * The change from one state of an object to another; undefined where nothing differs.
 *
 * Elements of lists are named by what Kubernetes merges them by, for instance
 * `spec.template.spec.containers[web].image`. Values of environment variables and secrets are
 * compared, and shown redacted.
 * @param shown of whose values there are secrets that nobody can tell by their path, less
 */
export function diffObjects(
  before: LiveObject | undefined,
  after: LiveObject,
  shown: Shown = "but secrets",
): PlannedChange | undefined {
  const object = textOf(refOf(after));
  if (!before) return { action: "CREATE", object, fields: [] };
  const all = after.kind === "Secret" ? "nothing" : shown;
  const fields = diffFields(fieldsOf(before), fieldsOf(after), all);
  return fields.length === 0 ? undefined : { action: "UPDATE", object, fields };
}

/** The deletion of an object. */
export function deletionOf(object: LiveObject): PlannedChange {
  return { action: "DELETE", object: textOf(refOf(object)), fields: [] };
}

function diffFields(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  shown: Shown,
): readonly FieldChange[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  const show = (path: string, value: string | undefined): string =>
    value === undefined ? "" : isShown(path, shown) ? value : JSON.stringify(REDACTED);
  return [...paths].filter((path) => before.get(path) !== after.get(path)).map((path) => ({
    path,
    before: show(path, before.get(path)),
    after: show(path, after.get(path)),
  }));
}

/** Which values a change shows. */
export type Shown = "but secrets" | "what is never secret" | "nothing";

function isShown(path: string, shown: Shown): boolean {
  if (shown === "nothing") return false;
  return shown === "what is never secret" ? NEVER_SECRET.test(path) : !SECRET_PATH.test(path);
}

/** What people ask for first; anything else of a chart may be made of a secret value. */
const NEVER_SECRET = /\.(image|replicas|containerPort|port|targetPort|cpu|memory)$/;

/** Values of variables, and what could be guessed from by who has a guess. */
const SECRET_PATH = new RegExp(`\\.env\\[[^\\]]*\\]\\.value$|${ENV_CHECKSUM}`);

/** What the server writes by itself, and what only says who wrote. */
const NOISE: ReadonlySet<string> = new Set([
  "status",
  "metadata.managedFields",
  "metadata.resourceVersion",
  "metadata.generation",
  "metadata.uid",
  "metadata.creationTimestamp",
  "metadata.selfLink",
  `metadata.annotations[${REVISION}]`,
  `metadata.annotations[${KINDS_HAD}]`,
  "metadata.annotations[deployment.kubernetes.io/revision]",
]);

/** Leaves by path, as JSON. */
function fieldsOf(object: LiveObject): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  for (const [key, value] of Object.entries(object)) collect(leaves, key, value);
  return leaves;
}

function collect(leaves: Map<string, string>, path: string, value: unknown): void {
  if (NOISE.has(path)) return;
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
  // Empty maps come and go without a meaning.
  return entries.map(([key, child]) => [
    /^[A-Za-z]\w*$/.test(key) ? `${path}.${key}` : `${path}[${key}]`,
    child,
  ]);
}

/** What the elements of a list are told apart by (Kubernetes, "Merge strategy": list map keys). */
const KEYS = ["name", "mountPath", "containerPort", "port", "topologyKey", "type", "ip"] as const;

function listKeys(list: readonly unknown[]): readonly (string | number)[] {
  for (const key of KEYS) {
    const values = list.map((item) =>
      item !== null && typeof item === "object" ? (item as Record<string, unknown>)[key] : undefined
    );
    const named = values.every((value) => typeof value === "string" || typeof value === "number");
    if (named && new Set(values).size === values.length) return values as (string | number)[];
  }
  return list.map((_, index) => index);
}

/**
 * Server-side apply, as far as our objects need it: managers own leaves, lists of named items are
 * merged by their keys, and conflicts name the other manager.
 */

export type Json = unknown;
export type Path = readonly string[];

/** Leaves of an object by path; the paths of list elements contain `[key=value]`. */
export function leavesOf(value: Json, path: Path = []): ReadonlyMap<string, Json> {
  const leaves = new Map<string, Json>();
  const walk = (value: Json, path: Path): void => {
    const children = childrenOf(value);
    if (!children || children.length === 0) leaves.set(JSON.stringify(path), value);
    else for (const [key, child] of children) walk(child, [...path, key]);
  };
  walk(value, path);
  return leaves;
}

/** `base` overridden by `over`; lists of named items are merged. */
export function mergeOver(base: Json, over: Json): Json {
  if (Array.isArray(base) && Array.isArray(over)) {
    const key = listKey([...base, ...over]);
    if (!key) return over;
    const merged = new Map(base.map((item) => [nameBy(item, key), item]));
    for (const item of over) {
      merged.set(nameBy(item, key), mergeOver(merged.get(nameBy(item, key)), item));
    }
    return [...merged.values()];
  }
  if (!isRecord(base) || !isRecord(over)) return over;
  const result: Record<string, Json> = { ...base };
  for (const [key, value] of Object.entries(over)) result[key] = mergeOver(base[key], value);
  return result;
}

/** The object without one leaf, and without objects that become empty. */
export function without(value: Json, path: Path): Json {
  const [head, ...rest] = path;
  if (head === undefined) return undefined;
  if (Array.isArray(value)) {
    const key = listKey(value);
    return value.flatMap((item, index) => {
      if ((key ? nameBy(item, key) : `[${index}]`) !== head) return [item];
      const left = without(item, rest);
      const onlyKey = isRecord(left) && Object.keys(left).every((field) => field === key);
      return left === undefined || onlyKey ? [] : [left];
    });
  }
  if (!isRecord(value)) return value;
  const left = rest.length === 0 ? undefined : without(value[head], rest);
  const { [head]: _, ...others } = value;
  return left === undefined || isEmpty(left) ? others : { ...others, [head]: left };
}

/** The leaf at a path. */
export function leafAt(value: Json, path: Path): Json {
  return leavesOf(value).get(JSON.stringify(path));
}

/** The paths as Kubernetes writes them in `managedFields` (FieldsV1). */
export function fieldsV1(paths: Iterable<string>): FieldSet {
  const root: FieldSet = {};
  for (const text of paths) {
    let at = root;
    for (const key of JSON.parse(text) as string[]) {
      const name = key.startsWith("[") ? `k:${key.slice(1, -1)}` : `f:${key}`;
      at = at[name] ??= {};
    }
  }
  return root;
}

interface FieldSet {
  [field: string]: FieldSet;
}

/** A path as conflicts name it, for instance `.spec.replicas`. */
export function dotted(text: string): string {
  return (JSON.parse(text) as string[]).map((key) => key.startsWith("[") ? key : `.${key}`).join(
    "",
  );
}

const LIST_KEYS = ["name", "containerPort", "port", "mountPath", "type"];

function childrenOf(value: Json): readonly (readonly [string, Json])[] | undefined {
  if (isRecord(value)) return Object.entries(value);
  if (!Array.isArray(value)) return undefined;
  const key = listKey(value);
  return key ? value.map((item) => [nameBy(item, key), item] as const) : undefined;
}

function listKey(list: readonly Json[]): string | undefined {
  return LIST_KEYS.find((key) =>
    list.length > 0 && list.every((item) => isRecord(item) && item[key] !== undefined)
  );
}

function nameBy(item: Json, key: string): string {
  return `[${JSON.stringify({ [key]: isRecord(item) ? item[key] : undefined })}]`;
}

const isEmpty = (value: Json): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length === 0;

const isRecord = (value: Json): value is Record<string, Json> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

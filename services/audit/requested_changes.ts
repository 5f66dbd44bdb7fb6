import { type FieldChange, type JsonObject, type JsonValue, REDACTED } from "@mpc/domain";

/** Values below these paths are secret: whoever reads them sees that they differ, and not what they are. */
const SECRET = /^spec\.(?:env|chart\.values)\./;

const MAX_CHANGES = 100;
const MAX_VALUE = 500;

/**
 * What an operation asks for, compared with what was there: the leaves of `wanted` and `previous` in
 * its input that differ.
 */
export function requestedChanges(input: JsonObject): readonly FieldChange[] {
  const [before, after] = [leavesOf(input["previous"]), leavesOf(input["wanted"])];
  // `previous` may have more about the record than what can be asked for.
  const paths = after.size === 0 ? [] : [
    ...after.keys(),
    ...[...before.keys()].filter((path) => !after.has(path) && isBelowOneOf(path, input["wanted"])),
  ];
  return paths.filter((path) => before.get(path) !== after.get(path)).slice(0, MAX_CHANGES)
    .map((path) => ({
      path: cut(path),
      before: shown(path, before.get(path)),
      after: shown(path, after.get(path)),
    }));
}

function shown(path: string, value: string | undefined): string {
  if (value === undefined) return "";
  return SECRET.test(path) ? JSON.stringify(REDACTED) : cut(value);
}

const cut = (text: string): string =>
  (text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE)}…`).toWellFormed();

const isBelowOneOf = (path: string, wanted: JsonValue | undefined): boolean =>
  isObject(wanted) && Object.hasOwn(wanted, path.split(".", 1)[0]!);

/** The scalars of a value as JSON, by their paths. Empty objects and lists are scalars here. */
function leavesOf(value: JsonValue | undefined): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  const walk = (path: string, each: JsonValue) => {
    const inner = typeof each === "object" && each !== null ? Object.entries(each) : [];
    if (inner.length === 0) leaves.set(path, JSON.stringify(each));
    for (const [key, value] of inner) walk(path === "" ? key : `${path}.${key}`, value);
  };
  if (isObject(value)) walk("", value);
  return leaves;
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

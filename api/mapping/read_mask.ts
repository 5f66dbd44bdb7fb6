import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import type { FieldMask } from "@bufbuild/protobuf/wkt";
import { type FieldViolation, invalidArgument } from "@mpc/domain";
import { isEverything, parseFieldPath } from "./field_path.ts";

/** Fields to return, by name: all of a field, some fields of its message, or some keys of its map. */
type Tree = Map<string, Tree | "all">;

/**
 * Reads a read mask (AIP-157).
 * @returns what leaves only the named fields of a message; unset and `*` leave all
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`: every path that names no field
 */
export function readMask<Desc extends DescMessage>(
  desc: Desc,
  mask: FieldMask | undefined,
  action: string,
): (message: MessageShape<Desc>) => MessageShape<Desc> {
  const paths = mask?.paths ?? [];
  if (paths.length === 0 || isEverything(paths)) return (message) => message;
  const tree: Tree = new Map();
  const violations: FieldViolation[] = [];
  for (const text of paths) {
    const path = parseFieldPath(text);
    if (path && isPath(desc, path)) add(tree, path);
    else violations.push(badPath(text, desc));
  }
  if (violations.length > 0) throw invalidArgument(action, violations);
  return (message) => {
    const target = reflect(desc, create(desc));
    copy(reflect(desc, message), target, tree);
    return target.message as MessageShape<Desc>;
  };
}

function badPath(path: string, { fields }: DescMessage): FieldViolation {
  const hint = path === "*"
    ? "must be '*' alone, or paths without it"
    : `must begin with one of ${
      fields.map(({ name }) => name).join(", ")
    }, and name fields below it`;
  return { field: "read_mask", value: path.slice(0, 100), rule: "READ_MASK", hint };
}

/** Lists have no parts: a path ends with them. */
function isPath(desc: DescMessage, [name = "", ...rest]: readonly string[]): boolean {
  const field = desc.fields.find((field) => field.name === name);
  if (!field) return false;
  if (rest.length === 0) return true;
  if (field.fieldKind === "map") return rest.length === 1 && field.mapKind === "scalar";
  return field.fieldKind === "message" && isPath(field.message, rest);
}

function add(tree: Tree, [name = "", ...rest]: readonly string[]): void {
  const known = tree.get(name);
  if (known === "all") return;
  if (rest.length === 0) {
    tree.set(name, "all");
    return;
  }
  const below = known ?? new Map();
  tree.set(name, below);
  add(below, rest);
}

function copy(source: ReflectMessage, target: ReflectMessage, tree: Tree): void {
  for (const field of source.fields) {
    const wanted = tree.get(field.name);
    if (!wanted || !source.isSet(field)) continue;
    if (field.fieldKind === "map" && wanted !== "all") {
      const entries = target.get(field);
      for (const [key, value] of source.get(field)) {
        if (wanted.has(String(key))) entries.set(key, value);
      }
    } else if (field.fieldKind === "message" && wanted !== "all") {
      const part = reflect(field.message);
      copy(source.get(field), part, wanted);
      target.set(field, part);
    } else {
      target.set(field, source.get(field));
    }
  }
}

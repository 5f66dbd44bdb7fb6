import type { Filter as MongoFilter } from "mongodb";
import { type Filter, wildcardOf } from "@mpc/domain";
import { encodeKey, type MongoDocument } from "./codec.ts";

export type Query = MongoFilter<MongoDocument>;

/** Matches nothing. */
const NOTHING: Query = { _id: { $in: [] } };

/** The field of a stored document that holds the value at a path of the document. */
export function fieldOf(path: readonly string[]): string {
  if (path.length === 1 && path[0] === "name") return "_id";
  return ["value", ...path.map(encodeKey)].join(".");
}

/** The query that finds what `matches` of the domain would find. */
export function filterQuery(filter: Filter): Query {
  switch (filter.op) {
    case "and":
      return { $and: filter.terms.map(filterQuery) };
    case "or": {
      const alternatives = alternativesOf(filter.terms);
      return alternatives ? alternatives.query : { $or: filter.terms.map(filterQuery) };
    }
    case "not":
      return { $nor: [filterQuery(filter.term)] };
    case ":":
      return has(filter.path, filter.value);
    case "=":
      return equals(filter.path, filter.value);
    case "!=":
      return { $nor: [equals(filter.path, filter.value)] };
    default: {
      if (filter.value === null) return NOTHING;
      const operator = { "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte" }[filter.op];
      // Comparisons of MongoDB match values of the same type only.
      return { [fieldOf(filter.path)]: { [operator]: filter.value } };
    }
  }
}

/**
 * The fields that a filter compares with fixed values, which an index can start with, and how many
 * values these are.
 */
export function fixedFields(filter: Filter | undefined): ReadonlyMap<string, number> {
  if (filter === undefined) return new Map();
  if (filter.op === "and") {
    const fixed = new Map<string, number>();
    for (const [field, count] of filter.terms.flatMap((term) => [...fixedFields(term)])) {
      fixed.set(field, Math.min(count, fixed.get(field) ?? Infinity));
    }
    return fixed;
  }
  if (filter.op === "or") {
    const alternatives = alternativesOf(filter.terms);
    return new Map(alternatives ? [[alternatives.field, filter.terms.length]] : []);
  }
  return new Map(isFixed(filter) ? [[fieldOf(filter.path), 1]] : []);
}

/** Whether a term is an equality with one value. */
function isFixed(filter: Filter): filter is Filter & { readonly op: "=" } {
  return filter.op === "=" &&
    (typeof filter.value !== "string" || wildcardOf(filter.value).open === "none");
}

/** Several values of one field as one condition, which an index can use. */
function alternativesOf(
  terms: readonly Filter[],
): { readonly field: string; readonly query: Query } | undefined {
  const fixed = terms.filter(isFixed);
  const [first] = fixed;
  if (!first || fixed.length !== terms.length) return undefined;
  const field = fieldOf(first.path);
  if (fixed.some(({ path }) => fieldOf(path) !== field)) return undefined;
  return { field, query: { [field]: { $in: fixed.map(({ value }) => value) } } };
}

function equals(path: readonly string[], value: string | number | boolean | null): Query {
  const field = fieldOf(path);
  if (typeof value !== "string") return { [field]: value };
  const { text, open } = wildcardOf(value);
  switch (open) {
    case "none":
      return { [field]: text };
    case "any":
      return { [field]: { $type: ["string", "int", "long", "double", "bool"] } };
    case "end":
      return textMatches(field, `^${quoted(text)}`);
    case "start":
      return textMatches(field, `${quoted(text)}\\z`);
    case "both":
      return textMatches(field, quoted(text));
  }
}

function has(path: readonly string[], value: string | number | boolean | null): Query {
  const field = fieldOf(path);
  if (value === "*") {
    return { $nor: [{ [field]: null }, { [field]: { $eq: {} } }, { [field]: { $size: 0 } }] };
  }
  if (typeof value !== "string") return { [field]: value };
  return {
    $or: [
      { [field]: { $elemMatch: { $eq: value } } },
      {
        $and: [
          { $nor: [{ [field]: { $type: "array" } }] },
          {
            $or: [
              { [`${field}.${encodeKey(value)}`]: { $exists: true } },
              textMatches(field, quoted(value)),
            ],
          },
        ],
      },
    ],
  };
}

/** A server may compare a regular expression with the text of other values too. */
function textMatches(field: string, pattern: string): Query {
  const isText: Query = { [field]: { $type: "string" } };
  return pattern === "" ? isText : { $and: [isText, { [field]: { $regex: pattern } }] };
}

/** A regular expression that matches exactly this text. */
function quoted(text: string): string {
  return text.replace(
    /[\0-/:-@[-`{-\x7f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

import { type Filter, wildcardOf } from "@mpc/domain";

/** A piece of SQL and the values of its parameters. */
export interface Sql {
  readonly text: string;
  readonly values: readonly (string | number | null)[];
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The columns of fields that have one, by key. */
export type Columns = Readonly<Record<string, string>>;

/** The SQL of a scalar at a path of the document in column `body`. */
export function extract(path: readonly string[], columns: Columns): Sql {
  const [key = ""] = path;
  if (path.length === 1 && key === "name") return { text: "name", values: [] };
  if (path.length === 1 && Object.hasOwn(columns, key)) return { text: columns[key]!, values: [] };
  // A map may have a column, which is shorter than the body.
  const own = Object.hasOwn(columns, key);
  const json = own ? columns[key]! : "body";
  const inner = own ? path.slice(1) : path;
  if (inner.every((key) => PLAIN.test(key))) {
    return { text: `json_extract(${json}, '$.${inner.join(".")}')`, values: [] };
  }
  // Keys that are unsafe in a JSON path, such as label keys, are bound as values.
  const last = inner.at(-1) ?? "";
  const parent = inner.slice(0, -1).map((key) => `.${key}`).join("");
  return {
    text: `(SELECT value FROM json_each(${json}, '$${parent}') WHERE key = ?)`,
    values: [last],
  };
}

/** Translates a filter. The result is always true or false, never NULL, so that NOT inverts it. */
export function filterSql(filter: Filter, columns: Columns): Sql {
  switch (filter.op) {
    case "and":
    case "or": {
      const terms = filter.terms.map((term) => filterSql(term, columns));
      return {
        text: `(${terms.map((term) => term.text).join(filter.op === "and" ? " AND " : " OR ")})`,
        values: terms.flatMap((term) => term.values),
      };
    }
    case "not": {
      const { text, values } = filterSql(filter.term, columns);
      return { text: `NOT ${text}`, values };
    }
    case ":":
      return has(filter.path, filter.value, columns);
    case "=":
      return equals(filter.path, filter.value, columns);
    case "!=": {
      const { text, values } = equals(filter.path, filter.value, columns);
      return { text: `NOT ${text}`, values };
    }
    default: {
      const { text, values } = extract(filter.path, columns);
      const type = typeof filter.value === "string" ? "= 'text'" : "IN ('integer', 'real')";
      return {
        text: `COALESCE(typeof(${text}) ${type} AND ${text} ${filter.op} ?, 0)`,
        values: [...values, ...values, bound(filter.value)],
      };
    }
  }
}

function equals(
  path: readonly string[],
  value: string | number | boolean | null,
  columns: Columns,
): Sql {
  const { text, values } = extract(path, columns);
  if (typeof value !== "string") {
    return { text: `(${text} IS ?)`, values: [...values, bound(value)] };
  }
  const wildcard = wildcardOf(value);
  switch (wildcard.open) {
    case "any":
      return { text: `(${text} IS NOT NULL)`, values };
    case "none":
      return { text: `(${text} IS ?)`, values: [...values, wildcard.text] };
    case "end":
      return {
        text: `COALESCE(substr(${text}, 1, length(?)) = ?, 0)`,
        values: [...values, wildcard.text, wildcard.text],
      };
    case "start":
      return {
        text:
          `COALESCE(length(${text}) >= length(?) AND substr(${text}, length(${text}) - length(?) + 1) = ?, 0)`,
        values: [
          ...values,
          wildcard.text,
          ...values,
          ...values,
          wildcard.text,
          wildcard.text,
        ],
      };
    case "both":
      return { text: `COALESCE(instr(${text}, ?) > 0, 0)`, values: [...values, wildcard.text] };
  }
}

function has(
  path: readonly string[],
  value: string | number | boolean | null,
  columns: Columns,
): Sql {
  if (!path.every((key) => PLAIN.test(key))) {
    const { text, values } = extract(path, columns);
    return value === "*"
      ? { text: `(${text} IS NOT NULL)`, values }
      : { text: `COALESCE(instr(${text}, ?) > 0, 0)`, values: [...values, bound(value)] };
  }
  const at = `'$.${path.join(".")}'`;
  if (value === "*") {
    return {
      text: `(CASE COALESCE(json_type(body, ${at}), 'null')
        WHEN 'null' THEN 0
        WHEN 'object' THEN EXISTS (SELECT 1 FROM json_each(body, ${at}))
        WHEN 'array' THEN EXISTS (SELECT 1 FROM json_each(body, ${at}))
        ELSE 1 END)`,
      values: [],
    };
  }
  const text = typeof value === "string"
    ? `instr(json_extract(body, ${at}), ?) > 0`
    : `json_extract(body, ${at}) IS ?`;
  return {
    text: `COALESCE(CASE json_type(body, ${at})
      WHEN 'object' THEN EXISTS (SELECT 1 FROM json_each(body, ${at}) WHERE key = ?)
      WHEN 'array' THEN EXISTS (SELECT 1 FROM json_each(body, ${at}) WHERE value = ?)
      WHEN 'null' THEN 0
      WHEN 'text' THEN ${typeof value === "string" ? text : "0 AND ?"}
      ELSE ${typeof value === "string" ? "0 AND ?" : text} END, 0)`,
    values: [bound(value), bound(value), bound(value), bound(value)],
  };
}

/** A value as SQLite stores it: true and false of JSON are 1 and 0. */
function bound(value: string | number | boolean | null): string | number | null {
  return typeof value === "boolean" ? Number(value) : value;
}

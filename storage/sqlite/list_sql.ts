import { compareStrings, type OrderKey } from "@mpc/domain";
import type { Cursor, ListQuery } from "../store.ts";
import { nameDescends } from "../shared/order.ts";
import { type Columns, extract, filterSql, type Sql } from "./filter_sql.ts";

/** Keys that every document has: for them the start of a page is one range of an index. */
const NEVER_NULL = new Set(["name", "createTime", "updateTime", "number", "state"]);

/** The condition of a query, without its cursor. */
export function conditionSql(
  { prefix, filter }: Pick<ListQuery, "prefix" | "filter">,
  columns: Columns,
): Sql {
  const parts: Sql[] = [];
  if (prefix) parts.push({ text: "name >= ? AND name < ?", values: [prefix, endOf(prefix)] });
  if (filter) parts.push(filterSql(filter, columns));
  return join(parts);
}

/** The query of one page, with one row more than the limit to see whether there are more. */
export function listSql(table: string, query: ListQuery, columns: Columns): Sql {
  const { prefix, filter, orderBy = [], after, limit } = query;
  const parts: Sql[] = [];
  if (prefix && after && orderBy.length === 0 && compareStrings(after.name, prefix) >= 0) {
    // The cursor is the start of the range. With a second lower bound SQLite may search from that
    // one, and then read all names up to the cursor.
    parts.push({ text: "name < ?", values: [endOf(prefix)] });
    if (filter) parts.push(filterSql(filter, columns));
  } else {
    parts.push(conditionSql(query, columns));
  }
  if (after) parts.push(afterSql(after, orderBy, columns));
  const { text, values } = join(parts.filter((part) => part.text !== "1"));
  const keys = orderBy.map((key) => extract(key.path, columns));
  const order = [
    ...keys.map((key, index) => `${key.text}${orderBy[index]!.descending ? " DESC" : ""}`),
    `name${nameDescends(orderBy) ? " DESC" : ""}`,
  ];
  return {
    text: `SELECT name, version, body FROM ${table} WHERE ${text} ORDER BY ${
      order.join(", ")
    } LIMIT ?`,
    values: [...values, ...keys.flatMap((key) => key.values), limit + 1],
  };
}

/** The end of the range of names with a prefix. No name contains the highest code point. */
const endOf = (prefix: string): string => `${prefix}\u{10ffff}`;

/** The condition that a document comes after a cursor. */
function afterSql(after: Cursor, orderBy: readonly OrderKey[], columns: Columns): Sql {
  const down = nameDescends(orderBy);
  const sameWay = orderBy.every((key) => key.descending === down);
  const solid = orderBy.every((key) => key.path.length === 1 && NEVER_NULL.has(key.path[0]!));
  if (sameWay && solid) {
    const keys = [...orderBy.map((key) => extract(key.path, columns).text), "name"].join(", ");
    const marks = [...orderBy.map(() => "?"), "?"].join(", ");
    return {
      text: `(${keys}) ${down ? "<" : ">"} (${marks})`,
      values: [...after.keys.map(scalar), after.name],
    };
  }
  const [key, ...rest] = orderBy;
  if (!key) return { text: down ? "name < ?" : "name > ?", values: [after.name] };
  const { text, values } = extract(key.path, columns);
  const found = scalar(after.keys[0] ?? null);
  const tail = afterSql(
    { keys: after.keys.slice(1), name: after.name },
    rest,
    columns,
  );
  const inner = rest.length > 0
    ? tail
    : { text: down ? "name < ?" : "name > ?", values: [after.name] };
  const same = {
    text: `(${text} IS ? AND ${inner.text})`,
    values: [...values, found, ...inner.values],
  };
  if (found === null) {
    return key.descending ? same : {
      text: `(${text} IS NOT NULL OR ${same.text})`,
      values: [...values, ...same.values],
    };
  }
  return key.descending
    ? {
      text: `(${text} < ? OR ${text} IS NULL OR ${same.text})`,
      values: [...values, found, ...values, ...same.values],
    }
    : { text: `(${text} > ? OR ${same.text})`, values: [...values, found, ...same.values] };
}

function join(parts: readonly Sql[]): Sql {
  if (parts.length === 0) return { text: "1", values: [] };
  return {
    text: parts.map((part) => part.text).join(" AND "),
    values: parts.flatMap((part) => part.values),
  };
}

function scalar(value: string | number | boolean | null): string | number | null {
  return typeof value === "boolean" ? Number(value) : value;
}

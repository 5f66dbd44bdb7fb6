import {
  type Filter,
  type FilterFields,
  type Instant,
  invalidArgument,
  type OrderKey,
  parseFilter,
  parseOrderBy,
} from "@mpc/domain";
import type { Collection, Cursor, Stored } from "@mpc/storage";
import type { Caller } from "./caller.ts";
import { fingerprint } from "./fingerprint.ts";

/** Paging, filter and order as the API has them (AIP-132, 158, 160). */
export interface ListRequest {
  /** Coerced to {@linkcode MAX_PAGE_SIZE}; {@linkcode DEFAULT_PAGE_SIZE} where 0. */
  readonly pageSize: number;
  readonly pageToken: string;
  readonly filter: string;
  readonly orderBy: string;
}

export interface ListResult<T> {
  readonly items: readonly Stored<T>[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1_000;

export interface ListOptions<T extends { readonly name: string }> {
  readonly collection: Collection<T>;
  readonly now: Instant;
  readonly fields: FilterFields;
  readonly prefix: string;
  readonly defaultOrder: readonly OrderKey[];
  /** What cannot be done, for messages. */
  readonly action: string;
  /** Narrows what a caller may see, besides the caller's own filter. */
  readonly where?: Filter;
}

/**
 * Lists one page.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS` or `INVALID_FILTER`; also for a page token
 *   that belongs to another filter or order
 */
export async function listPage<T extends { readonly name: string }>(
  options: ListOptions<T>,
  caller: Caller,
  request: ListRequest,
): Promise<ListResult<T>> {
  const { collection, now, fields, prefix, defaultOrder, action, where } = options;
  if (request.pageSize < 0) {
    throw invalidArgument(action, [{
      field: "page_size",
      value: String(request.pageSize),
      rule: "MINIMUM",
      hint: "must not be negative",
    }]);
  }
  const asked = parseFilter(request.filter, fields, now);
  const orderBy = request.orderBy === "" ? defaultOrder : parseOrderBy(request.orderBy, fields);
  const query = fingerprint([action, prefix, request.filter, request.orderBy]).slice(0, 12);
  const after = decodeToken(request.pageToken, query, action);
  const filters = [asked, where].filter((filter) => filter !== undefined);
  const [first] = filters;
  const page = await collection.list({
    prefix,
    orderBy,
    limit: Math.min(request.pageSize || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE),
    signal: caller.signal,
    ...(first && { filter: filters.length === 1 ? first : { op: "and", terms: filters } }),
    ...(after && { after }),
  });
  return {
    items: page.items,
    nextPageToken: page.next ? encodeToken(page.next, query) : "",
  };
}

function encodeToken(cursor: Cursor, query: string): string {
  return btoa(encodeURIComponent(JSON.stringify([query, cursor.keys, cursor.name])));
}

function decodeToken(token: string, query: string, action: string): Cursor | undefined {
  if (token === "") return undefined;
  const refuse = (hint: string) =>
    invalidArgument(action, [{ field: "page_token", value: "", rule: "PAGE_TOKEN", hint }]);
  const parsed = parseToken(token);
  if (!Array.isArray(parsed) || parsed.length !== 3) throw refuse("is no page token");
  const [madeFor, keys, name] = parsed;
  if (madeFor !== query) throw refuse("belongs to a list with another filter, order or parent");
  if (!Array.isArray(keys) || typeof name !== "string" || !keys.every(isScalar)) {
    throw refuse("is no page token");
  }
  return { keys, name };
}

function parseToken(token: string): unknown {
  try {
    return JSON.parse(decodeURIComponent(atob(token)));
  } catch {
    // Anything can come in here: what is no token is told by the caller of this.
    return undefined;
  }
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

import {
  type Filter,
  type FilterFields,
  type Instant,
  invalidArgument,
  isMpcError,
  type MpcError,
  type OrderKey,
  parseFilter,
  parseOrderBy,
} from "@mpc/domain";
import type { Collection, Cursor, Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";
import { fingerprint } from "../mutations/fingerprint.ts";

/** Paging, filter and order in the API's syntax (AIP-132, 158, 160). */
export interface ListRequest {
  /** Limited to {@linkcode MAX_PAGE_SIZE}; {@linkcode DEFAULT_PAGE_SIZE} if 0. */
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
  /** The orders of the collection, of `LIST_ORDERS`. */
  readonly orders: readonly string[];
  readonly prefix: string;
  readonly defaultOrder: readonly OrderKey[];
  /** The action, in messages. */
  readonly action: string;
  /** What the caller may see, combined with the filter of the request; null for everything. */
  readonly visible: Filter | null;
}

/**
 * Lists one page. An error names everything that is wrong with the request.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS` or `INVALID_FILTER`; also for a page token
 *   that belongs to another filter or order
 */
export async function listPage<T extends { readonly name: string }>(
  options: ListOptions<T>,
  caller: Caller,
  request: ListRequest,
): Promise<ListResult<T>> {
  const { collection, now, fields, orders, prefix, defaultOrder, action, visible } = options;
  const query = fingerprint([action, prefix, request.filter, request.orderBy]).slice(0, 12);
  const { asked, orderBy, after } = allRead(action, (read) => {
    read(() => assertPageSize(action, request.pageSize));
    const asked = read(() => parseFilter(request.filter, fields, now));
    const wanted = read(() => parseOrderBy(action, request.orderBy, fields, orders));
    const orderBy = wanted?.length ? wanted : defaultOrder;
    // Without a valid order, a page token cannot be checked.
    const after = wanted &&
      read(() => decodeToken(action, request.pageToken, query, orderBy.length));
    return { asked, orderBy, after };
  });
  const filters = [asked, visible].filter((filter) => filter !== undefined && filter !== null);
  const [first] = filters;
  const page = await collection.list({
    prefix,
    orderBy,
    limit: limitOf(request.pageSize),
    signal: caller.signal,
    ...(first && { filter: filters.length === 1 ? first : { op: "and", terms: filters } }),
    ...(after && { after }),
  });
  return {
    items: page.items,
    nextPageToken: page.next ? encodeToken(page.next, query) : "",
  };
}

/** The paging of a list that is not of a collection. */
export interface Paging {
  readonly limit: number;
  /** Where the page starts; undefined for the first one. */
  readonly after: Cursor | undefined;
  /** The token of the page after a cursor. */
  readonly tokenOf: (cursor: Cursor) => string;
}

/**
 * Reads the paging of a list that is not of a collection.
 * @param query what else the list depends on: a token of another query is refused
 * @param keys how many keys its cursors have
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`
 */
export function readPaging(
  action: string,
  { pageSize, pageToken }: Pick<ListRequest, "pageSize" | "pageToken">,
  query: readonly string[],
  keys: number,
): Paging {
  const madeFor = fingerprint([action, ...query]).slice(0, 12);
  const after = allRead(action, (read) => {
    read(() => assertPageSize(action, pageSize));
    return read(() => decodeToken(action, pageToken, madeFor, keys));
  });
  return {
    limit: limitOf(pageSize),
    after,
    tokenOf: (cursor) => encodeToken(cursor, madeFor),
  };
}

const limitOf = (pageSize: number): number =>
  Math.min(pageSize || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);

type Read = <T>(part: () => T) => T | undefined;

/**
 * Reads every part of a request, even if one of them is invalid.
 * @throws {MpcError} INVALID_ARGUMENT with everything that is wrong
 */
function allRead<T>(action: string, read: (part: Read) => T): T {
  const problems: MpcError[] = [];
  const result = read((part) => {
    try {
      return part();
    } catch (error) {
      if (!isMpcError(error, "INVALID_ARGUMENT")) throw error;
      problems.push(error);
      return undefined;
    }
  });
  const [first, ...more] = problems;
  if (!first) return result;
  if (more.length === 0) throw first;
  throw invalidArgument(action, problems.flatMap(({ violations }) => violations));
}

function assertPageSize(action: string, pageSize: number): void {
  if (pageSize >= 0) return;
  throw invalidArgument(action, [{
    field: "page_size",
    value: String(pageSize),
    rule: "MINIMUM",
    hint: "must not be negative",
  }]);
}

function encodeToken(cursor: Cursor, query: string): string {
  return btoa(encodeURIComponent(JSON.stringify([query, cursor.keys, cursor.name])));
}

/** @param count the number of keys of the order */
function decodeToken(
  action: string,
  token: string,
  query: string,
  count: number,
): Cursor | undefined {
  if (token === "") return undefined;
  const refuse = (hint: string) =>
    invalidArgument(action, [{ field: "page_token", value: "", rule: "PAGE_TOKEN", hint }]);
  const parsed = parseToken(token);
  if (!Array.isArray(parsed) || parsed.length !== 3) throw refuse("is not a page token");
  const [madeFor, keys, name] = parsed;
  if (madeFor !== query) throw refuse("belongs to a list with another filter, order or parent");
  const isCursor = Array.isArray(keys) && keys.length === count && keys.every(isScalar);
  if (!isCursor || typeof name !== "string") throw refuse("is not a page token");
  return { keys, name };
}

function parseToken(token: string): unknown {
  try {
    return JSON.parse(decodeURIComponent(atob(token)));
  } catch {
    // Any text may be given here; the caller reports text that is not a token.
    return undefined;
  }
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

import type { Comparator, Filter, OrderKey } from "./filter.ts";
import type { DerivedField, FilterFields, StoredField } from "./filter_fields.ts";
import { filterError, type Token, tokenize } from "./filter_tokens.ts";
import { invalidArgument } from "./errors.ts";
import { listOrderOf } from "./list_orders.ts";
import type { Instant } from "./time.ts";

const MAX_LENGTH = 2_000;
const MAX_DEPTH = 20;

/**
 * Parses a filter (AIP-160). Adjacent terms are joined by AND; OR binds tighter than AND, as the
 * AIP defines it.
 * @param now the time from which derived fields are computed
 * @returns undefined if the text is empty
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FILTER`, with the place and what is wrong there
 */
export function parseFilter(
  text: string,
  fields: FilterFields,
  now: Instant,
): Filter | undefined {
  if (text.trim() === "") return undefined;
  if (text.length > MAX_LENGTH) throw filterError(`more than ${MAX_LENGTH} characters`, MAX_LENGTH);
  return new Parser(tokenize(text), fields, now, text.length).parse();
}

/**
 * Parses an order (AIP-132): `state, create_time desc`. A `name` at the end that only says how ties
 * are broken anyway is left out.
 * @param action what the order is for, in messages: `list environments`
 * @param orders the orders of the list, of `LIST_ORDERS`
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, with the orders that there are
 */
export function parseOrderBy(
  action: string,
  text: string,
  fields: FilterFields,
  orders: readonly string[],
): readonly OrderKey[] {
  if (text.trim() === "") return [];
  const keys = text.split(",").map((part) => orderKey(part, fields));
  const known = withoutTieBreak(keys.filter((key) => key !== undefined));
  if (!keys.includes(undefined) && orders.includes(listOrderOf(known))) return known;
  throw invalidArgument(action, [{
    field: "order_by",
    value: text.trim().slice(0, 100),
    rule: "AIP_132",
    hint: `must be one of ${orders.map((order) => `'${nameOf(order, fields)}'`).join(", ")}; ` +
      "'desc' may follow each field, and names break ties in the direction of the last field",
  }]);
}

/** Undefined for text that is no key. */
function orderKey(part: string, fields: FilterFields): OrderKey | undefined {
  const [name = "", direction = "asc", ...rest] = part.trim().split(/\s+/);
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (!field || field.type === "derived" || rest.length > 0) return undefined;
  if (direction !== "asc" && direction !== "desc") return undefined;
  return { path: field.path, descending: direction === "desc" };
}

function withoutTieBreak(keys: readonly OrderKey[]): readonly OrderKey[] {
  const [last, before] = [keys.at(-1), keys.at(-2)];
  const same = last?.path.join() === "name" && last.descending === before?.descending;
  return same ? keys.slice(0, -1) : keys;
}

/** An order in the names that the API gives to its fields. */
function nameOf(order: string, fields: FilterFields): string {
  const names = new Map(
    Object.entries(fields).flatMap(([name, field]) =>
      field.type === "derived" ? [] : [[field.path.join("."), name]]
    ),
  );
  return order.split(", ").map((path) => names.get(path) ?? path).join(", ");
}

class Parser {
  #next = 0;
  readonly #tokens: readonly Token[];
  readonly #fields: FilterFields;
  readonly #now: Instant;
  readonly #end: number;

  constructor(tokens: readonly Token[], fields: FilterFields, now: Instant, end: number) {
    this.#tokens = tokens;
    this.#fields = fields;
    this.#now = now;
    this.#end = end;
  }

  parse(): Filter {
    const filter = this.#and(0);
    const rest = this.#peek();
    if (rest) throw filterError(`unexpected '${rest.text}'`, rest.at);
    return filter;
  }

  #and(depth: number): Filter {
    if (depth > MAX_DEPTH) throw filterError(`more than ${MAX_DEPTH} levels`, this.#at());
    const terms = [this.#or(depth)];
    for (let token = this.#peek(); token && token.kind !== ")"; token = this.#peek()) {
      if (token.kind === "and") this.#next++;
      terms.push(this.#or(depth));
    }
    return terms.length === 1 ? terms[0]! : { op: "and", terms };
  }

  #or(depth: number): Filter {
    const terms = [this.#term(depth)];
    while (this.#peek()?.kind === "or") {
      this.#next++;
      terms.push(this.#term(depth));
    }
    return terms.length === 1 ? terms[0]! : { op: "or", terms };
  }

  #term(depth: number): Filter {
    const token = this.#take();
    if (token.kind === "not" || token.kind === "minus") {
      if (depth > MAX_DEPTH) throw filterError(`more than ${MAX_DEPTH} levels`, token.at);
      return { op: "not", term: this.#term(depth + 1) };
    }
    if (token.kind === "(") {
      const inner = this.#and(depth + 1);
      const close = this.#take();
      if (close.kind !== ")") throw filterError("a '(' without ')'", token.at);
      return inner;
    }
    if (token.kind !== "word") throw filterError(`unexpected '${token.text}'`, token.at);
    return this.#restriction(token);
  }

  #restriction(name: Token): Filter {
    const operator = this.#peek();
    if (operator?.kind === "(") {
      throw filterError(`'${name.text}()': there are no functions`, name.at);
    }
    if (operator?.kind !== "op") {
      throw filterError(`'${name.text}' without a comparison such as '= value'`, name.at);
    }
    this.#next++;
    const value = this.#take();
    if (value.kind === "(" || value.kind === ")" || value.kind === ",") {
      throw filterError(`no value after '${operator.text}'`, value.at);
    }
    return this.#compare(name, operator.text as Comparator, value);
  }

  #compare(name: Token, op: Comparator, value: Token): Filter {
    const [head = "", ...rest] = name.segments ?? name.text.split(".");
    const field = Object.hasOwn(this.#fields, head) ? this.#fields[head] : undefined;
    if (!field || (rest.length > 0 && field.type !== "map")) {
      const known = Object.keys(this.#fields).join(", ");
      throw filterError(`the unknown field '${name.text}' (known: ${known})`, name.at);
    }
    if (field.type === "map") {
      if (name.segments && rest.length > 1) {
        throw filterError(`'${name.text}', where '${head}' has no such depth,`, name.at);
      }
      if (rest.length > 0) {
        // "Has" with a key compares for equality, except with `*` (AIP-160, "Has Operator").
        const exact = op === ":" && value.text !== "*" ? "=" : op;
        return { op: exact, path: [...field.path, rest.join(".")], value: value.text };
      }
      if (op !== ":") throw filterError(`'${head}' compared as a whole; use ${head}.key`, name.at);
      return { op, path: field.path, value: value.text };
    }
    if (field.type === "derived") return derived(field, op, value, this.#now);
    if (op === ":" && value.text === "*") return isSet(field);
    return { op, path: field.path, value: typed(field, value) };
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #at(): number {
    return this.#peek()?.at ?? this.#end;
  }

  #take(): Token {
    const token = this.#peek();
    if (!token) throw filterError("an unexpected end", this.#end);
    this.#next++;
    return token;
  }
}

/** A field of a message counts as present where it has another value than its default. */
function isSet({ type, path }: StoredField): Filter {
  const present: Filter = { op: ":", path, value: "*" };
  switch (type) {
    case "boolean":
      return { op: "=", path, value: true };
    case "string":
      return { op: "and", terms: [present, { op: "!=", path, value: "" }] };
    case "number":
      return { op: "and", terms: [present, { op: "!=", path, value: 0 }] };
    default:
      return present;
  }
}

function derived(field: DerivedField, op: Comparator, value: Token, now: Instant): Filter {
  if (op === ":" && value.text === "*") return field.holds(now);
  if (!["=", "!=", ":"].includes(op) || !/^(true|false)$/.test(value.text)) {
    throw filterError(`'${op} ${value.text}' where '= true' or '= false' is meant,`, value.at);
  }
  const term = field.holds(now);
  return (op !== "!=") === (value.text === "true") ? term : { op: "not", term };
}

function typed(
  field: StoredField,
  { text, at }: Token,
): string | number | boolean | null {
  switch (field.type) {
    case "number": {
      if (!/^-?\d+(\.\d+)?$/.test(text)) throw filterError(`'${text}', which is no number,`, at);
      return Number(text);
    }
    case "boolean":
      if (text !== "true" && text !== "false") {
        throw filterError(`'${text}', which is neither true nor false,`, at);
      }
      return text === "true";
    case "timestamp": {
      const time = instantOf(text);
      if (Number.isNaN(time)) {
        throw filterError(`'${text}', which is no time such as 2030-01-31T12:00:00Z,`, at);
      }
      return time;
    }
    case "enum": {
      const { prefix = "", values = [] } = field;
      const value = text.startsWith(prefix) ? text.slice(prefix.length) : text;
      if (!values.includes(value) && !value.includes("*")) {
        throw filterError(`'${text}', which is none of ${values.join(", ")},`, at);
      }
      return value;
    }
    default:
      return text;
  }
}

const RFC_3339 = /^(\d{4}-\d\d-\d\d)([Tt]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d))?$/;

/**
 * A time by RFC 3339, or the start of a day in UTC; NaN for other text, which `Date` would guess.
 */
function instantOf(text: string): number {
  const day = RFC_3339.exec(text)?.[1];
  const start = day === undefined ? NaN : Date.parse(day);
  // `Date` accepts the 31st of February as a day of March.
  const isDay = !Number.isNaN(start) && new Date(start).toISOString().startsWith(day ?? "");
  return isDay ? Date.parse(text.toUpperCase()) : NaN;
}

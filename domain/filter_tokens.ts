/** Tokens of an AIP-160 filter. */
import { MpcError } from "./errors.ts";

export type TokenKind = "(" | ")" | "," | "op" | "and" | "or" | "not" | "minus" | "word" | "string";

export interface Token {
  readonly kind: TokenKind;
  /** Words and strings without their quotes and escapes; operators as they are spelled. */
  readonly text: string;
  /** The segments of a word of which a part is quoted: `labels."a.b/c"`. */
  readonly segments?: readonly string[];
  /** The index of its first character. */
  readonly at: number;
}

const OPERATOR = /^(?:!=|<=|>=|=|<|>|:)/;
const WORD = /^[^\s()=!<>:,"'-][^\s()=!<>:,"']*/;
const KEYWORDS: Readonly<Record<string, TokenKind>> = { AND: "and", OR: "or", NOT: "not" };

/**
 * Splits a filter into tokens. A word after an operator may contain colons, so that times need no
 * quotes.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FILTER`
 */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const space = /^\s+/.exec(rest);
    if (space) {
      at += space[0].length;
      continue;
    }
    const behindOperator = tokens.at(-1)?.kind === "op";
    const [token, length] = next(rest, at, behindOperator);
    tokens.push(token);
    at += length;
  }
  return tokens;
}

function next(rest: string, at: number, behindOperator: boolean): readonly [Token, number] {
  const first = rest[0] ?? "";
  if (first === "(" || first === ")" || first === ",") return [{ kind: first, text: first, at }, 1];
  if (first === '"' || first === "'") return quoted(rest, at, first);
  const value = behindOperator ? /^[^\s(),"']+/.exec(rest) : null;
  if (value) return [{ kind: "word", text: value[0], at }, value[0].length];
  const operator = OPERATOR.exec(rest);
  if (operator) return [{ kind: "op", text: operator[0], at }, operator[0].length];
  if (first === "-") return [{ kind: "minus", text: "-", at }, 1];
  const word = WORD.exec(rest)?.[0];
  if (!word) throw filterError(`unexpected '${first}'`, at);
  if (word.endsWith(".") && isQuote(rest[word.length])) return member(rest, at);
  return [{ kind: KEYWORDS[word] ?? "word", text: word, at }, word.length];
}

const isQuote = (char: string | undefined): boolean => char === '"' || char === "'";

/** A member with quoted segments, which may hold dots (AIP-160, EBNF: `member`). */
function member(rest: string, at: number): readonly [Token, number] {
  const segments: string[] = [];
  let length = 0;
  do {
    if (segments.length > 0) length++;
    const [segment, read] = isQuote(rest[length])
      ? quoted(rest.slice(length), at + length, rest[length]!)
      : bare(rest.slice(length), at + length);
    segments.push(segment.text);
    length += read;
  } while (rest[length] === ".");
  return [{ kind: "word", text: rest.slice(0, length), segments, at }, length];
}

function bare(rest: string, at: number): readonly [Token, number] {
  const text = /^[^\s()=!<>:,"'.]+/.exec(rest)?.[0];
  if (text === undefined) throw filterError("a '.' without a name behind it", at);
  return [{ kind: "word", text, at }, text.length];
}

function quoted(rest: string, at: number, quote: string): readonly [Token, number] {
  let text = "";
  for (let index = 1; index < rest.length; index++) {
    const char = rest[index]!;
    if (char === quote) return [{ kind: "string", text, at }, index + 1];
    if (char === "\\" && index + 1 < rest.length) text += rest[++index];
    else text += char;
  }
  throw filterError("a string that does not end", at);
}

/** The error of a filter that cannot be parsed. */
export function filterError(problem: string, at: number): MpcError {
  return new MpcError("INVALID_ARGUMENT", {
    reason: "INVALID_FILTER",
    message: `Cannot read the filter: ${problem} at character ${at + 1}`,
    violations: [{
      field: "filter",
      value: "",
      rule: "AIP_160",
      hint: `${problem} at character ${at + 1}`,
    }],
  });
}

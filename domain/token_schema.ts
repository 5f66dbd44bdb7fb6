import { z } from "zod";
import { idSchema } from "./common_schema.ts";
import { check, parseInput } from "./parse_input.ts";
import { type Instant, TTL_LIMITS_MS } from "./time.ts";

/** The validated fields for a new token, with defaults. */
export interface TokenInput {
  readonly id: string;
  readonly displayName: string;
  readonly groups: readonly string[];
  readonly ttlMs: number | null;
  readonly expireTime: Instant | null;
}

const MAX_GROUPS = 32;
const MAX_TEXT_LENGTH = 200;

// deno-lint-ignore no-control-regex
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Whether `text` can be shown on one line, and is not too long, as names of groups are. */
export const isPrintable = (text: string): boolean =>
  text.length <= MAX_TEXT_LENGTH && !CONTROL_CHARACTER.test(text);

/** Groups that only the platform gives, for instance those of service accounts. */
export const isReservedGroup = (group: string): boolean => group.startsWith("system:");

const printable = check(
  "PRINTABLE",
  `must be at most ${MAX_TEXT_LENGTH} characters, without line breaks and control characters`,
);

const group = z.string().refine((name) => name !== "" && isPrintable(name), printable)
  .refine((name) => !isReservedGroup(name), check("RESERVED", "must not start with 'system:'"));

const token = z.strictObject({
  displayName: z.string().refine(isPrintable, printable),
  groups: z.array(group).max(MAX_GROUPS),
  ttlMs: z.number().refine(
    (ms) => ms >= TTL_LIMITS_MS.min && ms <= TTL_LIMITS_MS.max,
    check("TTL", "must be 1 minute to 365 days"),
  ).nullable(),
  expireTime: z.number().nullable(),
}).refine(({ ttlMs, expireTime }) => ttlMs === null || expireTime === null, {
  ...check("EXCLUSIVE", "must not be set together with 'token.ttl'"),
  path: ["expireTime"],
});

const creation = z.strictObject({ tokenId: idSchema, token });

/**
 * Validates `{ tokenId, token }` of a creation.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`
 */
export function parseTokenInput(action: string, input: unknown): TokenInput {
  const { tokenId, token } = parseInput(action, creation, input);
  return { id: tokenId, ...token };
}

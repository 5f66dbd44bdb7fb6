/** What an access file says: the schema of its sections. */
import { idProblem } from "@mpc/domain";
import { isPermission, type Permission, PERMISSIONS } from "@mpc/services";
import { z } from "zod";
import { AUTHENTICATION } from "./authentication/settings.ts";
import { parseLabelSelector } from "./label_selector.ts";
import { BUILT_IN_ROLES } from "./roles.ts";

const ENTRIES = 10_000;

const NOUNS = new Set(PERMISSIONS.map((permission) => permission.split(".", 1)[0]!));

/** One permission, or `NOUN.*` for all of a noun. */
const permissions = z.string().transform((text, context): readonly Permission[] => {
  if (isPermission(text)) return [text];
  const [noun = "", verb] = text.split(".", 2);
  if (verb === "*" && NOUNS.has(noun)) {
    return PERMISSIONS.filter((permission) => permission.startsWith(`${noun}.`));
  }
  context.addIssue(
    `'${text}' is no permission; must be NOUN.* or one of ${PERMISSIONS.join(", ")}`,
  );
  return z.NEVER;
});

const role = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, {
    error: "must be lower-case letters, digits and '-', for instance 'release-manager'",
  }),
  permissions: z.array(permissions).min(1).max(ENTRIES)
    .transform((lists) => [...new Set(lists.flat())]),
});

const principal = z.string().regex(/^(?:\*|(?:user|token|certificate|serviceaccount):.+)$/, {
  error: "must be '*', user:NAME, token:NAME, certificate:NAME or serviceaccount:NAMESPACE:NAME",
});

/** A name of an environment, or the beginning of names with `*` at the end. */
const namePattern = z.string().refine(
  (text) => {
    const start = text.endsWith("*") ? text.slice(0, -1) : text;
    return start === "" ? text === "*" : !idProblem(start.replace(/-$/, ""));
  },
  { error: "must be the name of an environment, or the beginning of names and a '*' at its end" },
);

const selector = z.string().transform((text, context) => {
  const filter = parseLabelSelector(text);
  if (typeof filter !== "string") return { text, filter };
  context.addIssue(filter);
  return z.NEVER;
});

const binding = z.strictObject({
  role: z.string(),
  principals: z.array(principal).max(ENTRIES).default([]),
  groups: z.array(z.string().min(1)).max(ENTRIES).default([]),
  environments: z.strictObject({
    names: z.array(namePattern).min(1).max(ENTRIES).optional(),
    selector: selector.optional(),
  }).refine(({ names, selector }) => names !== undefined || selector !== undefined, {
    error: "must have names or a selector; leave it out for the whole platform",
  }).optional(),
}).refine(({ principals, groups }) => principals.length + groups.length > 0, {
  error: "must name principals or groups",
});

const limit = z.int().min(0).max(1_000_000);

/** Each limit of a principal is that of the first entry that names it and has the limit. */
const quota = z.strictObject({
  principals: z.array(principal).max(ENTRIES).default([]),
  groups: z.array(z.string().min(1)).max(ENTRIES).default([]),
  environments: limit.optional(),
  operations: limit.optional(),
  callsPerSecond: limit.min(1).optional(),
}).refine(({ principals, groups }) => principals.length + groups.length > 0, {
  error: "must name principals or groups",
}).refine(
  ({ environments, operations, callsPerSecond }) =>
    [environments, operations, callsPerSecond].some((limit) => limit !== undefined),
  { error: "must have environments, operations or callsPerSecond" },
);

export const ACCESS_SETTINGS = z.strictObject({
  authentication: AUTHENTICATION.prefault({}),
  roles: z.array(role).max(ENTRIES).default([]),
  bindings: z.array(binding).max(ENTRIES).default([]),
  quotas: z.array(quota).max(ENTRIES).default([]),
}).superRefine(({ roles, bindings }, context) => {
  const names = new Set(Object.keys(BUILT_IN_ROLES));
  for (const [index, { name }] of roles.entries()) {
    if (names.has(name)) {
      context.addIssue({
        code: "custom",
        path: ["roles", index, "name"],
        message: `'${name}' is there already; choose another name`,
      });
    }
    names.add(name);
  }
  for (const [index, { role }] of bindings.entries()) {
    if (names.has(role)) continue;
    context.addIssue({
      code: "custom",
      path: ["bindings", index, "role"],
      message: `'${role}' is no role; must be one of ${[...names].join(", ")}`,
    });
  }
});

export type AccessSettings = z.output<typeof ACCESS_SETTINGS>;

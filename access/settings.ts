/** What an access file says: the schema of its sections. */
import { z } from "zod";
import { AUTHENTICATION } from "./authentication/settings.ts";

const ENTRIES = 10_000;

const role = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, {
    error: "must be lower-case letters, digits and '-', for instance 'release-manager'",
  }),
  permissions: z.array(z.string().min(1)).min(1).max(ENTRIES),
});

const binding = z.strictObject({
  role: z.string().min(1),
  principals: z.array(z.string().min(1)).max(ENTRIES).default([]),
  groups: z.array(z.string().min(1)).max(ENTRIES).default([]),
  environments: z.strictObject({
    names: z.array(z.string().min(1)).min(1).max(ENTRIES).optional(),
    selector: z.string().min(1).optional(),
  }).optional(),
});

export const ACCESS_SETTINGS = z.strictObject({
  authentication: AUTHENTICATION.default({}),
  roles: z.array(role).max(ENTRIES).default([]),
  bindings: z.array(binding).max(ENTRIES).default([]),
});

export type AccessSettings = z.output<typeof ACCESS_SETTINGS>;

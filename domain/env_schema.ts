/** Schemas of a workload's environment variables. */
import { z } from "zod";
import { bytesOf, objectNameSchema } from "./common_schema.ts";
import { check } from "./parse_input.ts";
import { assertUnique, exactlyOne } from "./schema_checks.ts";

const MAX_ENV_BYTES = 64 * 1024;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,255}$/;
const KEY = /^[A-Za-z0-9._-]{1,253}$/;

export const envSchema = z.record(z.string(), z.string()).superRefine((env, context) => {
  if (Object.keys(env).length > 256) {
    context.addIssue({ code: "custom", ...check("MAXIMUM", "must have at most 256 entries") });
  }
  if (bytesOf(env) > MAX_ENV_BYTES) {
    context.addIssue({ code: "custom", ...check("MAXIMUM", "must have at most 64 KiB in all") });
  }
  for (const key of Object.keys(env)) {
    if (VARIABLE.test(key)) continue;
    const message = "has a key that is no variable name: letters, digits and _, no digit first";
    context.addIssue({ code: "custom", path: [key], ...check("VARIABLE_NAME", message) });
  }
});

const source = z.strictObject({
  variable: z.string().refine(
    (name) => name === "" || VARIABLE.test(name),
    check("VARIABLE_NAME", "must be a variable name: letters, digits and _, no digit first"),
  ).default(""),
  key: z.string().refine(
    (key) => key === "" || KEY.test(key),
    check("KEY", "must be at most 253 letters, digits and . _ -"),
  ).default(""),
  secret: objectNameSchema,
  config: objectNameSchema,
}).superRefine((source, context) => {
  exactlyOne(source, ["secret", "config"], context);
  if (source.variable === "" && source.key !== "") {
    const message = "must not be set without 'variable', which names the variable to set";
    context.addIssue({ code: "custom", path: ["key"], ...check("REQUIRES_VARIABLE", message) });
  }
}).transform((source) => ({ ...source, key: source.key || source.variable }));

/** Environment variables whose values are in Secrets and ConfigMaps on the cluster. */
export const envFromSchema = z.array(source).max(64).superRefine((sources, context) =>
  assertUnique(sources, context, "variable", ({ variable }) => variable)
);

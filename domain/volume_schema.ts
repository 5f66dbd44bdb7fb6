/** Schema of the volumes of a workload. */
import { z } from "zod";
import { memorySchema, objectNameSchema } from "./common_schema.ts";
import { isDnsLabel } from "./dns.ts";
import { check } from "./parse_input.ts";
import { parseMemoryBytes } from "./quantity.ts";
import { assertUnique, exactlyOne } from "./schema_checks.ts";

/** Leaves room for the workload's id: the name of the storage is `{workload}.{volume}`. */
const MAX_NAME = 20;

const PATH = /^(\/[A-Za-z0-9@._-]+)+$/;

const scratch = z.strictObject({ size: memorySchema, inMemory: z.boolean().default(false) });

const storage = z.strictObject({
  size: z.string().refine(
    (size) => (parseMemoryBytes(size) ?? 0) > 0,
    check("QUANTITY", "must be a quantity such as 10Gi"),
  ),
  storageClass: objectNameSchema,
  shared: z.boolean().default(false),
});

const volume = z.strictObject({
  name: z.string().refine(
    (name) => isDnsLabel(name, MAX_NAME),
    check("DNS_1123_LABEL", `must be at most ${MAX_NAME} lower case letters, digits and '-'`),
  ),
  path: z.string().max(512).refine(
    (path) => PATH.test(path) && !path.split("/").some((part) => part === "." || part === ".."),
    check("PATH", "must be an absolute path of letters, digits and @ . _ -, not '/' itself"),
  ),
  readOnly: z.boolean().default(false),
  scratch: scratch.nullable().default(null),
  storage: storage.nullable().default(null),
  secret: objectNameSchema,
  config: objectNameSchema,
}).superRefine((volume, context) =>
  exactlyOne(volume, ["scratch", "storage", "secret", "config"], context)
).transform((volume) => ({
  ...volume,
  readOnly: volume.readOnly || volume.secret !== null || volume.config !== null,
}));

/** Volumes with unique names and paths. */
export const volumesSchema = z.array(volume).max(16).superRefine((volumes, context) => {
  assertUnique(volumes, context, "name", ({ name }) => name);
  assertUnique(volumes, context, "path", ({ path }) => path);
});

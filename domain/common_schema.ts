/** Schemas that environments and workloads share. */
import { z } from "zod";
import { isDnsSubdomain } from "./dns.ts";
import { idProblem } from "./ids.ts";
import { labelKeyProblem, labelValueProblem, MAX_ANNOTATION_BYTES, MAX_LABELS } from "./labels.ts";
import { check } from "./parse_input.ts";
import { parseCpuMillis, parseMemoryBytes } from "./quantity.ts";

/** An id that a caller chooses. */
export const idSchema = z.string().superRefine((id, context) => {
  const problem = idProblem(id);
  if (problem) context.addIssue({ code: "custom", ...check("DNS_1123_LABEL", problem) });
});

export const labelsSchema = z.record(z.string(), z.string()).superRefine((labels, context) => {
  if (Object.keys(labels).length > MAX_LABELS) {
    context.addIssue({
      code: "custom",
      ...check("MAXIMUM", `must have at most ${MAX_LABELS} entries`),
    });
  }
  for (const [key, value] of Object.entries(labels)) {
    const keyProblem = labelKeyProblem(key);
    if (keyProblem) {
      context.addIssue({ code: "custom", path: [key], ...check("LABEL_KEY", keyProblem) });
    }
    const valueProblem = labelValueProblem(value);
    if (valueProblem) {
      context.addIssue({ code: "custom", path: [key], ...check("LABEL_VALUE", valueProblem) });
    }
  }
});

export const annotationsSchema = z.record(z.string(), z.string()).refine(
  (annotations) => bytesOf(annotations) <= MAX_ANNOTATION_BYTES,
  check("MAXIMUM", `must have at most ${MAX_ANNOTATION_BYTES / 1024} KiB in all`),
);

/** A cpu quantity; empty and unset are null. */
export const cpuSchema = quantity(parseCpuMillis, "must be a quantity such as 500m or 2");

/** A memory quantity; empty and unset are null. */
export const memorySchema = quantity(parseMemoryBytes, "must be a quantity such as 256Mi or 2Gi");

/** The name of an object of the environment on the cluster; empty and unset are null. */
export const objectNameSchema = z.string().nullish().refine(
  (name) => !name || isDnsSubdomain(name),
  check("DNS_1123_SUBDOMAIN", "must be at most 253 lower case letters, digits and - ."),
).transform((name) => name || null);

/** Bytes of all keys and values, in UTF-8. */
export function bytesOf(record: Readonly<Record<string, string>>): number {
  const encoder = new TextEncoder();
  return Object.entries(record).reduce(
    (sum, [key, value]) => sum + encoder.encode(key).length + encoder.encode(value).length,
    0,
  );
}

function quantity(parse: (text: string) => number | undefined, message: string) {
  return z.string().nullish().refine(
    (text) => !text || (parse(text) ?? 0) > 0,
    check("QUANTITY", message),
  ).transform((text) => text || null);
}

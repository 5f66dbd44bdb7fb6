import {
  type CollectionTag,
  type Document,
  parseAllDocuments,
  type ScalarTag,
  type Tags,
} from "yaml";
import type { KubernetesObject } from "../render/mod.ts";
import {
  type ChartRef,
  hookRefused,
  kindRefused,
  namespaceRefused,
  outputInvalid,
} from "./helm_errors.ts";
import { CHART_KINDS, type HelmOptions, isOneOf } from "./helm_options.ts";

const HOOK = "helm.sh/hook";

/** More than any sensible workload needs. */
const MAX_OBJECTS = 200;

/**
 * Parses and checks the objects that helm printed. Empty documents are skipped.
 * @throws {MpcError} FAILED_PRECONDITION `CHART_OUTPUT_INVALID`, `CHART_HOOK_REFUSED`,
 *   `CHART_KIND_REFUSED`, `CHART_NAMESPACE_REFUSED`
 */
export function chartObjects(
  options: HelmOptions,
  ref: ChartRef,
  namespace: string,
  output: string,
): readonly KubernetesObject[] {
  const objects = parseDocuments(ref, output).flatMap(flatten).map((value) => {
    if (!isObject(value)) throw outputInvalid(ref, "a document lacks apiVersion, kind or a name");
    return value;
  });
  if (objects.length > MAX_OBJECTS) {
    throw outputInvalid(ref, `it contains ${objects.length}, at most ${MAX_OBJECTS} are allowed`);
  }
  const seen = new Set<string>();
  for (const object of objects) {
    assertAllowed(options, ref, namespace, object);
    const name = nameOf(object);
    if (seen.has(name)) throw outputInvalid(ref, `${name} occurs twice`);
    seen.add(name);
  }
  return objects;
}

/**
 * Parses YAML 1.1 like helm and Kubernetes, which do not support all of it: `12:30` and dates are
 * strings.
 */
function parseDocuments(ref: ChartRef, output: string): readonly unknown[] {
  const customTags = (tags: Tags): Tags => tags.filter((tag) => !isTimeTag(tag));
  const documents = parseAllDocuments(output, {
    version: "1.1",
    schema: "yaml-1.1",
    customTags,
    uniqueKeys: false,
  });
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => {
    const [error] = document.errors;
    if (error) throw outputInvalid(ref, `line ${error.linePos?.[0].line ?? 1} is not valid YAML`);
    return plainOf(ref, document);
  }).filter((value) => value !== null && value !== undefined);
}

/** The value of a document. Rejects too many aliases, and aliases without an anchor. */
function plainOf(ref: ChartRef, document: Document.Parsed): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (error instanceof ReferenceError) throw outputInvalid(ref, error.message);
    throw error;
  }
}

const isTimeTag = (tag: ScalarTag | CollectionTag | string): boolean =>
  typeof tag !== "string" &&
  (tag.tag.endsWith(":timestamp") || ("format" in tag && tag.format === "TIME"));

/** Replaces a List by its items. */
function flatten(value: unknown): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [value];
  const isList = "kind" in value && value.kind === "List" && "items" in value;
  return isList && Array.isArray(value.items) ? value.items : [value];
}

function isObject(value: unknown): value is KubernetesObject {
  const fields = fieldsOf(value);
  const { name, namespace = "", labels, annotations } = fieldsOf(fields["metadata"]);
  const texts = [fields["apiVersion"], fields["kind"], name, namespace];
  return texts.every((text) => typeof text === "string") && name !== "" &&
    [labels, annotations].every((map) =>
      Object.values(fieldsOf(map)).every((text) => typeof text === "string")
    );
}

/** The fields of an object; empty for any other value. */
const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};

function assertAllowed(
  { allowHooks, allowedKinds, allowedClusterKinds }: HelmOptions,
  ref: ChartRef,
  namespace: string,
  object: KubernetesObject,
): void {
  const { metadata } = object;
  const hook = metadata.annotations?.[HOOK];
  if (hook !== undefined && !allowHooks) throw hookRefused(ref, nameOf(object), hook);
  if (isOneOf(allowedClusterKinds, object)) return;
  if (!isOneOf([...CHART_KINDS, ...allowedKinds], object)) throw kindRefused(ref, nameOf(object));
  if ((metadata.namespace ?? namespace) !== namespace) {
    throw namespaceRefused(ref, nameOf(object), metadata.namespace ?? "", namespace);
  }
}

const nameOf = ({ apiVersion, kind, metadata }: KubernetesObject): string =>
  `${kind}/${metadata.name} (${apiVersion})`;

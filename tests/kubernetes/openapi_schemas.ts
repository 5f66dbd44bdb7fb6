import { Ajv, type AnySchemaObject, type ValidateFunction } from "ajv";
import type { Kubectl } from "../servers/kubectl.ts";

interface OpenApiDocument {
  readonly components: { readonly schemas: Readonly<Record<string, AnySchemaObject>> };
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The violations of an object's schema; empty if it is valid. */
export type SchemaCheck = (object: { apiVersion: string; kind: string }) => readonly string[];

/**
 * Validates objects against the OpenAPI v3 schemas of an API server. Rejects unknown fields, like
 * `kubeconform -strict`.
 * @param apiVersions such as `v1` and `apps/v1`
 */
export async function readSchemas(
  kubectl: Kubectl,
  apiVersions: readonly string[],
): Promise<SchemaCheck> {
  const ajv = new Ajv({ strict: true, allErrors: true, keywords: ["components"] });
  const checks = new Map<string, ValidateFunction>();
  for (const apiVersion of apiVersions) {
    const path = apiVersion.includes("/") ? `apis/${apiVersion}` : `api/${apiVersion}`;
    const document: OpenApiDocument = JSON.parse(
      await kubectl(["get", "--raw", `/openapi/v3/${path}`]),
    );
    const $id = `kubernetes:/${apiVersion}`;
    ajv.addSchema({ $id, components: { schemas: named(document.components.schemas) } });
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      for (const kind of kindsOf(schema)) {
        checks.set(kind, ajv.compile({ $ref: `${$id}#/components/schemas/${name}` }));
      }
    }
  }
  return (object) => {
    const kind = `${object.apiVersion} ${object.kind}`;
    const check = checks.get(kind);
    if (!check) return [`there is no schema of ${kind}`];
    if (check(object)) return [];
    return (check.errors ?? []).map(({ instancePath, message, params }) =>
      `${kind} ${instancePath} ${message} ${JSON.stringify(params)}`
    );
  };
}

function kindsOf(schema: AnySchemaObject): readonly string[] {
  const kinds: readonly GroupVersionKind[] = schema["x-kubernetes-group-version-kind"] ?? [];
  // Skip schemas of many kinds (DeleteOptions), which describe no object.
  if (kinds.length !== 1) return [];
  return kinds.map(({ group, version, kind }) =>
    `${group === "" ? version : `${group}/${version}`} ${kind}`
  );
}

/**
 * A schema that rejects unknown fields, without formats: they are Go types, which JSON Schema does
 * not know.
 */
function strictly(schema: AnySchemaObject): AnySchemaObject {
  const { properties } = schema;
  const kept = Object.entries(schema).filter(([key]) =>
    !key.startsWith("x-") && !["default", "format", "properties"].includes(key)
  ).map(([key, value]) => [key, isSchemas(value) ? value.map(strictly) : inner(value)]);
  return {
    ...(properties && { properties: named(properties), additionalProperties: false }),
    ...Object.fromEntries(kept),
  };
}

const named = (schemas: Readonly<Record<string, AnySchemaObject>>) =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, strictly(schema)]));

const isSchemas = (value: unknown): value is readonly AnySchemaObject[] =>
  Array.isArray(value) && value.every((item) => typeof item === "object");

const inner = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? strictly(value) : value;

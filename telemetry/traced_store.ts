import { separateWords } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import { SpanKind } from "@opentelemetry/api";
import { tracedMethods } from "./traced_methods.ts";

/** Methods that answer once; streams and copies get no spans. */
const METHODS: ReadonlySet<string> = new Set([
  ...["create", "get", "list", "count", "replace", "delete", "findByRequestId"],
  ...["append", "head", "read", "compactBefore"],
]);

/**
 * Decorates a store of any kind so that its calls are spans ("Semantic conventions for database
 * client spans", OpenTelemetry). Names of documents are attributes, never their content.
 * @param system the kind of store, such as `sqlite`
 */
export function tracedStore(store: Store, system: string): Store {
  const collections = Object.entries(store).flatMap(([key, part]) => {
    if (typeof part !== "object" || part === null) return [];
    const collection = separateWords(key, "_").toLowerCase();
    const attributes = { "db.system.name": system, "db.collection.name": collection };
    return [[
      key,
      tracedMethods(part, (method, args) => {
        if (!METHODS.has(method)) return undefined;
        const operation = separateWords(method, "_").toLowerCase();
        const document = documentOf(args[0]);
        return {
          name: `${operation} ${collection}`,
          kind: SpanKind.CLIENT,
          attributes: {
            ...attributes,
            "db.operation.name": operation,
            ...(document !== undefined && { "mpc.document": document }),
          },
        };
      }),
    ]];
  });
  return { ...store, ...Object.fromEntries(collections) };
}

/** The name of the document that a call is about. */
function documentOf(subject: unknown): string | undefined {
  if (typeof subject === "string") return subject;
  if (typeof subject !== "object" || subject === null || !("name" in subject)) return undefined;
  return typeof subject.name === "string" ? subject.name : undefined;
}

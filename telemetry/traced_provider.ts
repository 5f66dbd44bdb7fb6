import { separateWords } from "@mpc/domain";
import type { Provider } from "@mpc/services";
import { type Attributes, SpanKind } from "@opentelemetry/api";
import { tracedMethods } from "./traced_methods.ts";

/** Streams, and what asks nothing of a cluster. */
const UNTRACED: ReadonlySet<string> = new Set(["logs", "close"]);

/** Decorates the clusters of a worker so that what is asked of them are spans. */
export function tracedProvider(provider: Provider): Provider {
  return tracedMethods(provider, (method, args) => {
    if (UNTRACED.has(method)) return undefined;
    const attributes = { "mpc.provider": provider.name, ...placeOf(args) };
    return { name: `cluster ${separateWords(method, "_")}`, kind: SpanKind.INTERNAL, attributes };
  });
}

/** The environment and the workload that a call is about: an intent, several, or two ids. */
function placeOf([subject, second]: readonly unknown[]): Attributes {
  if (typeof subject === "string") {
    return {
      "k8s.namespace.name": subject,
      ...(typeof second === "string" && { "mpc.workload": second }),
    };
  }
  const [intent = subject, ...others]: readonly unknown[] = [subject].flat();
  return {
    ...(textAt(intent, "environment") && { "k8s.namespace.name": textAt(intent, "environment") }),
    ...(textAt(intent, "workload") && others.length === 0 &&
      { "mpc.workload": textAt(intent, "workload") }),
  };
}

/** A field of an object, if it is a text. */
function textAt(value: unknown, field: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const text: unknown = Reflect.get(value, field);
  return typeof text === "string" ? text : undefined;
}

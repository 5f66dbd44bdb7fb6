import { SpanKind } from "@opentelemetry/api";
import { tracedMethods } from "./traced_methods.ts";

/** The part of a Kubernetes object that its spans show. */
interface Named {
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly metadata?: { readonly name: string; readonly namespace?: string };
}

/** Watches and logs are streams; they run for hours. */
const METHODS: ReadonlySet<string> = new Set(["get", "list", "apply", "review", "delete"]);

/** Kinds whose names have an attribute of their own ("Kubernetes attributes", OpenTelemetry). */
const KINDS: ReadonlySet<string> = new Set([
  ...["Pod", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"],
]);

/**
 * Decorates the client of one Kubernetes cluster so that its calls are spans, with the requests that
 * Deno traces inside of them. Objects are named, never shown.
 */
export function tracedKubeClient<Client extends { readonly cluster: string }>(
  client: Client,
): Client {
  return tracedMethods(client, (method, [subject, selection]) => {
    if (!METHODS.has(method)) return undefined;
    const { kind = "", metadata, ...ref } = subject as Named;
    const { name, namespace } = {
      ...ref,
      ...metadata,
      ...(method === "list" && selection as Named),
    };
    return {
      name: `${method} ${kind}`,
      kind: SpanKind.CLIENT,
      attributes: {
        "k8s.cluster.name": client.cluster,
        "mpc.k8s.kind": kind,
        ...(namespace !== undefined && { "k8s.namespace.name": namespace }),
        ...(kind === "Namespace" && name !== undefined && { "k8s.namespace.name": name }),
        ...(name !== undefined &&
          { [KINDS.has(kind) ? `k8s.${kind.toLowerCase()}.name` : "mpc.k8s.name"]: name }),
      },
    };
  });
}

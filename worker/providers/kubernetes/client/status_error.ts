/** Translates the `Status` of an API server into a domain error. */
import type { V1Status, V1StatusCause } from "@kubernetes/client-node";
import { errorFor, type ErrorReason, type MpcError } from "@mpc/domain";
import type { Wire } from "./wire_format.ts";

/** Why a request failed (Kubernetes API conventions, "Response Status Kind"). */
export type KubeStatus = Wire<V1Status> & { readonly code: number };

/** The failed request, for messages. */
export interface Asked {
  /** For instance `apply 'Deployment/dev/web'`. */
  readonly action: string;
  readonly cluster: string;
  readonly namespace?: string | undefined;
}

type Refusal = {
  readonly reason: ErrorReason;
  readonly why: string;
  readonly retryable?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
};

/**
 * The error for an unsuccessful response. Field values in the server's message are left out, because
 * they may be secret.
 */
export function statusError(status: KubeStatus, asked: Asked): MpcError {
  const { reason, why, ...options } = refusal(status, asked);
  return errorFor(reason, { ...options, message: `Cannot ${asked.action}: ${why}` });
}

function refusal(status: KubeStatus, asked: Asked): Refusal {
  const message = status.message ?? "";
  // The server answers 500 to fields that are not in the schema.
  if (/failed to create typed patch object/.test(message)) return invalid(status);
  return admission(message) ?? BY_CODE[status.code]?.(status, asked) ?? {
    reason: unansweredBy(status)
      ? "CLUSTER_UNREACHABLE"
      : status.code >= 500
      ? "CLUSTER_FAILED"
      : "UNEXPECTED_STATUS",
    why: `cluster '${asked.cluster}' answered ${status.code} ${status.reason ?? ""}: ${message}`,
    metadata: { cluster: asked.cluster },
  };
}

/**
 * Whether a status means that the API server itself cannot answer at the moment: it shuts down, or
 * its store does not answer. An `InternalError` concerns the one request.
 */
const unansweredBy = ({ code, reason }: KubeStatus): boolean =>
  code > 500 || (code === 500 && reason !== "InternalError");

/** The error for a denial by an API server that has just started and may not have loaded its roles. */
export const startingError = ({ code }: KubeStatus, { action, cluster }: Asked): MpcError =>
  errorFor("CLUSTER_UNREACHABLE", {
    message: `Cannot ${action}: cluster '${cluster}' has just started, and answered ${code}`,
    metadata: { cluster, sent: "no" },
  });

const BY_CODE: Readonly<Record<number, (status: KubeStatus, asked: Asked) => Refusal>> = {
  400: invalid,
  401: (_, { cluster }) => ({
    reason: "CLUSTER_CREDENTIALS",
    why: `cluster '${cluster}' refuses the kubeconfig's credentials, which may have expired`,
  }),
  403: forbidden,
  404: missing,
  409: conflict,
  410: (_, { cluster }) => ({
    reason: "WATCH_EXPIRED",
    why: `cluster '${cluster}' no longer has the version to continue from`,
  }),
  422: invalid,
  429: (_, { cluster }) => ({
    reason: "CLUSTER_UNREACHABLE",
    why: `cluster '${cluster}' is overloaded`,
    metadata: { cluster, sent: "no" },
  }),
};

/** Rejections by quotas, webhooks and policies, which use several status codes. */
function admission(message: string): Refusal | undefined {
  const failing = /failed calling webhook "([^"]+)"/.exec(message);
  if (failing) {
    return {
      reason: "ADMISSION_UNREACHABLE",
      why: `admission webhook '${failing[1]}' does not answer`,
      metadata: { webhook: failing[1] ?? "" },
    };
  }
  const quota = /exceeded quota: ([^,]+), (requested: .*)/.exec(message) ??
    /failed quota: ([^:]+): (.*)/.exec(message);
  if (quota) {
    return {
      reason: "QUOTA_EXCEEDED",
      retryable: false,
      why: `quota '${quota[1]}' forbids it: ${quota[2]}`,
      metadata: { quota: quota[1] ?? "" },
    };
  }
  const denied = /admission webhook "([^"]+)" denied the request(?: without explanation)?:? ?(.*)/s
    .exec(message) ??
    /ValidatingAdmissionPolicy '([^']+)' with binding '[^']+' denied request: (.*)/s.exec(
      message,
    ) ??
    /violates (PodSecurity) "(.*)/s.exec(message);
  if (!denied) return undefined;
  return {
    reason: "ADMISSION_DENIED",
    why: `'${denied[1]}' denies it${denied[2] ? `: ${denied[2].replaceAll('"', "")}` : ""}`,
    metadata: { webhook: denied[1] ?? "" },
  };
}

function forbidden({ message = "", details }: KubeStatus, { cluster, namespace }: Asked): Refusal {
  if (details?.causes?.some(({ reason }) => reason === "NamespaceTerminating")) {
    return noNamespace(namespace ?? "", "is being deleted");
  }
  // The message of the RBAC authorizer.
  const told =
    /User "([^"]*)" cannot (\w+) resource "([^"]*)"(?: in API group "([^"]*)")?(?: in the namespace "([^"]*)")?/
      .exec(message);
  if (!told) {
    return { reason: "CLUSTER_FORBIDS", why: message };
  }
  const [, user = "", verb = "", plural = "", group = "", place = ""] = told;
  const resource = group === "" ? plural : `${plural}.${group}`;
  const where = place === "" ? "in all namespaces" : `in namespace '${place}'`;
  return {
    reason: "CLUSTER_FORBIDS",
    why:
      `'${user}' may not ${verb} ${resource} ${where} of cluster '${cluster}'; grant it that verb by a Role`,
    metadata: { user, verb, resource, namespace: place },
  };
}

function missing({ message = "", details }: KubeStatus, asked: Asked): Refusal {
  if (details?.kind === "namespaces") return noNamespace(asked.namespace ?? "", "is not there");
  if (details?.kind === undefined || /could not find the requested resource/.test(message)) {
    return {
      reason: "KIND_UNKNOWN",
      why: `cluster '${asked.cluster}' has no such kind`,
    };
  }
  return { reason: "NOT_ON_CLUSTER", why: "it is not on the cluster" };
}

function conflict({ message = "", details }: KubeStatus): Refusal {
  const fields = (details?.causes ?? []).filter(({ reason }) => reason === "FieldManagerConflict");
  if (fields.length === 0) {
    const metadata = /UID in (the )?precondition/i.test(message) ? { precondition: "uid" } : {};
    return { reason: "CLUSTER_CONFLICT", why: message, metadata };
  }
  const managers = new Set(
    fields.map(({ message = "" }) => /conflict with "([^"]+)"/.exec(message)?.[1] ?? message),
  );
  const manager = [...managers].join(", ");
  const paths = fields.map(({ field = "" }) => field.replace(/^\./, "")).join(", ");
  return {
    reason: "FIELD_CONFLICT",
    retryable: false,
    why: `'${manager}' manages ${paths}`,
    metadata: { manager, fields: paths },
  };
}

function invalid({ message = "", details }: KubeStatus): Refusal {
  const causes = details?.causes ?? [];
  const why = causes.length === 0 ? withoutValues(message) : causes.map(causeText).join("; ");
  const immutable = causes.filter((cause) => IMMUTABLE.test(cause.message ?? ""));
  if (immutable.length > 0) {
    const fields = immutable.map(({ field = "" }) => field).join(", ");
    return {
      reason: "IMMUTABLE_FIELD",
      why:
        `${fields} cannot be changed after the object was created; delete the workload and deploy it again`,
      metadata: { fields },
    };
  }
  return { reason: "OBJECT_INVALID", why };
}

const IMMUTABLE = /immutable|may not change once set|updates to .* are forbidden/;

function causeText({ field, message = "" }: Wire<V1StatusCause>): string {
  return field ? `${field}: ${withoutValues(message)}` : withoutValues(message);
}

/** Validation messages repeat the invalid value. */
function withoutValues(message: string): string {
  return message.replace(
    /(Invalid|Unsupported|Duplicate) value: (?:"(?:[^"\\]|\\.)*"|.*?)(?=: |$)/gs,
    "$1 value",
  );
}

function noNamespace(namespace: string, why: string): Refusal {
  return {
    reason: "NO_NAMESPACE",
    why: `namespace '${namespace}' ${why}`,
    metadata: { environment: namespace },
  };
}

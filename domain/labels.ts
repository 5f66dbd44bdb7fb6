/** The syntax of Kubernetes labels ("Labels and Selectors"). */

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** Labels with this prefix are the platform's own marks on the cluster. */
const RESERVED_LABEL_PREFIX = "mpc/";

/**
 * Prefixes reserved by Kubernetes ("Well-Known Labels, Annotations and Taints"), except for apps.
 */
const KUBERNETES_PREFIX = /^(?!app\.kubernetes\.io$)(.+\.)?(kubernetes\.io|k8s\.io)$/;

/** The maximum number of labels on one resource. */
export const MAX_LABELS = 64;

/** The maximum size of all annotations of one resource. */
export const MAX_ANNOTATION_BYTES = 16 * 1024;

/** Describes what is wrong with a label's key; undefined if it is valid. */
export function labelKeyProblem(key: string): string | undefined {
  if (key.startsWith(RESERVED_LABEL_PREFIX)) {
    return `has a key that begins with '${RESERVED_LABEL_PREFIX}', which is the platform's own`;
  }
  const slash = key.indexOf("/");
  const prefix = key.slice(0, Math.max(0, slash));
  if (KUBERNETES_PREFIX.test(prefix)) {
    return `has a key that begins with '${prefix}/', which is Kubernetes' own`;
  }
  const fine = NAME.test(key.slice(slash + 1)) &&
    (slash < 0 || (prefix.length <= 253 && PREFIX.test(prefix)));
  return fine
    ? undefined
    : "has a key that is no label key: [prefix/]name, at most 63 letters, digits and . _ -";
}

/** Describes what is wrong with a label's value; undefined if it is valid. */
export function labelValueProblem(value: string): string | undefined {
  return value === "" || NAME.test(value)
    ? undefined
    : "must be empty or at most 63 letters, digits and . _ -, beginning and ending with a letter or digit";
}

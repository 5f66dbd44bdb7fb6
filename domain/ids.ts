import { isDnsLabel } from "./dns.ts";

/** The longest id of an environment or a workload. */
export const MAX_ID_LENGTH = 40;

/**
 * Describes what is wrong with an id; undefined if it is valid.
 *
 * Ids are DNS-1123 labels (RFC 1123, as Kubernetes names namespaces) of at most
 * {@linkcode MAX_ID_LENGTH} characters. `default` and `kube-…` are reserved for the cluster.
 */
export function idProblem(id: string): string | undefined {
  if (id === "") return "must not be empty";
  if (id.length > MAX_ID_LENGTH) return `must have at most ${MAX_ID_LENGTH} characters`;
  if (!isDnsLabel(id)) {
    return "must be lower case letters, digits and '-', and begin and end with a letter or digit";
  }
  if (id === "default" || id.startsWith("kube-")) {
    return "must not be 'default' or start with 'kube-': those are the cluster's own";
  }
  return undefined;
}

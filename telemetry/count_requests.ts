import type { Metrics } from "./metrics.ts";

/** A request to a cluster, as clients report it. */
interface EndedRequest {
  readonly verb: string;
  readonly kind: string;
  readonly code: string;
  readonly durationMs: number;
}

/** Charts may have objects of many kinds: more than these are counted together. */
const MAX_KINDS = 60;

/** Counts the requests to clusters. */
export function countRequests(
  { kubernetesRequests, kubernetesSeconds }: Metrics,
): (request: EndedRequest) => void {
  const kinds = new Set<string>();
  return ({ verb, kind, code, durationMs }) => {
    if (kinds.size < MAX_KINDS) kinds.add(kind);
    kubernetesRequests.labels(verb, kinds.has(kind) ? kind : "OTHER", code).inc();
    kubernetesSeconds.labels(verb).observe(durationMs / 1_000);
  };
}

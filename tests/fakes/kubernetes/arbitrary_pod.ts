import fc from "fast-check";
import type { CountedPod } from "../../../worker/providers/kubernetes/quota/pod_usage.ts";

const cpu = fc.constantFrom("1m", "50m", "100m", "0.25", "1", "1500m");
const memory = fc.constantFrom("1Mi", "64Mi", "100M", "128Mi", "0.5Gi");

/** Limits are not below requests: the API server would reject them. */
const resources = fc.oneof(
  fc.record({
    requests: fc.record({ cpu, memory }, { requiredKeys: [] }),
  }),
  fc.record({ cpu, memory }, { requiredKeys: [] }).map((amounts) => ({ limits: amounts })),
  fc.constant({}),
);

const container = (prefix: string) => resources.map((resources) => ({ prefix, resources }));

/** A pod with init containers, sidecars and containers, which may request something or not. */
export function arbitraryPod(): fc.Arbitrary<CountedPod> {
  return fc.record({
    containers: fc.array(container("main"), { minLength: 1, maxLength: 3 }),
    initContainers: fc.array(
      fc.tuple(container("init"), fc.boolean()),
      { maxLength: 4 },
    ),
  }).map(({ containers, initContainers }) => ({
    containers: containers.map(({ prefix, resources }, index) => ({
      name: `${prefix}-${index}`,
      image: "example.com/web:1",
      resources,
    })),
    initContainers: initContainers.map(([{ prefix, resources }, isSidecar], index) => ({
      name: `${prefix}-${index}`,
      image: "example.com/web:1",
      resources,
      ...(isSidecar && { restartPolicy: "Always" }),
    })),
  }));
}

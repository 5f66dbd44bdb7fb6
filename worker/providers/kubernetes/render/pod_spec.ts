import type {
  V1PodSecurityContext,
  V1PodSpec,
  V1TopologySpreadConstraint,
} from "@kubernetes/client-node";
import type { WorkloadSpec } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import { container } from "./container.ts";
import { podSelector } from "./metadata.ts";
import { podVolumes } from "./pod_volumes.ts";
import { SERVICE_ACCOUNT } from "./service_account.ts";
import type { Wire } from "./wire.ts";

/** A group that may write to storage: "nonroot" of the distroless images. */
const STORAGE_GROUP = 65_532;

/** Ports below are root's, where the kernel is not told otherwise. */
const FIRST_FREE_PORT = 1_024;

/** A pod of a workload, as the "restricted" Pod Security Standard wants it. */
export function podSpec(intent: WorkloadIntent): Wire<V1PodSpec> {
  return {
    serviceAccountName: SERVICE_ACCOUNT,
    automountServiceAccountToken: false,
    // A variable for each service of the environment, as Docker's links had them: nobody asked.
    enableServiceLinks: false,
    securityContext: securityContext(intent.spec),
    topologySpreadConstraints: ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map(
      (topologyKey) => spread(intent, topologyKey),
    ),
    containers: [container(intent)],
    volumes: podVolumes(intent),
  };
}

function securityContext({ ports, volumes }: WorkloadSpec): Wire<V1PodSecurityContext> {
  return {
    runAsNonRoot: true,
    seccompProfile: { type: "RuntimeDefault" },
    ...(volumes.some(({ storage }) => storage !== null) && {
      fsGroup: STORAGE_GROUP,
      fsGroupChangePolicy: "OnRootMismatch",
    }),
    // A safe sysctl of the pod's own network: port 80 without root and without a capability.
    ...(ports.some(({ port }) => port < FIRST_FREE_PORT) && {
      sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }],
    }),
  };
}

/** Over zones and nodes as evenly as can be, but rather unevenly than not at all. */
function spread(intent: WorkloadIntent, topologyKey: string): Wire<V1TopologySpreadConstraint> {
  return {
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: podSelector(intent),
    // Pods of the version before are on their way out.
    matchLabelKeys: ["pod-template-hash"],
  };
}

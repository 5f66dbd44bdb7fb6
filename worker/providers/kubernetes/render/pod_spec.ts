import type {
  V1PodSecurityContext,
  V1PodSpec,
  V1TopologySpreadConstraint,
} from "@kubernetes/client-node";
import type { WorkloadSpec } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import type { Wire } from "../client/wire_format.ts";
import { container } from "./container.ts";
import { SERVICE_ACCOUNT } from "./environment_objects.ts";
import { podSelector } from "./metadata.ts";

import { podVolumes } from "./volumes.ts";

/** The group that may write to storage: "nonroot" of the distroless images. */
const STORAGE_GROUP = 65_532;

/** Lower ports need root unless a sysctl allows them. */
const FIRST_FREE_PORT = 1_024;

/** Meets the "restricted" Pod Security Standard. */
export function podSpec(intent: WorkloadIntent): Wire<V1PodSpec> {
  return {
    serviceAccountName: SERVICE_ACCOUNT,
    automountServiceAccountToken: false,
    // Otherwise each pod gets unwanted environment variables for every Service in its namespace.
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
    // A safe sysctl of the pod's own network: it allows port 80 without root or capabilities.
    ...(ports.some(({ port }) => port < FIRST_FREE_PORT) && {
      sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }],
    }),
  };
}

/** Spreads pods over zones or nodes as evenly as possible, without blocking their scheduling. */
function spread(intent: WorkloadIntent, topologyKey: string): Wire<V1TopologySpreadConstraint> {
  return {
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: podSelector(intent),
    // Pods of the previous version do not count: they will be removed.
    matchLabelKeys: ["pod-template-hash"],
  };
}

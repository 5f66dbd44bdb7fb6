import type { V1NetworkPolicy, V1NetworkPolicySpec } from "@kubernetes/client-node";
import type { NamespaceIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { policyMetadata } from "./metadata.ts";
import type { Wire } from "./wire.ts";

/** Where CoreDNS listens that runs on each node ("NodeLocal DNSCache"). */
const NODE_LOCAL_DNS = "169.254.20.10/32";

/** What is no address of the Internet: private, shared, loopback, link-local (cloud metadata). */
const NOT_PUBLIC = ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"];
const NOT_PUBLIC_EITHER = ["172.16.0.0/12", "192.168.0.0/16"];
const NOT_PUBLIC_V6 = ["::1/128", "fc00::/7", "fe80::/10"];

/**
 * What the pods of an environment may talk to: one another, DNS and the Internet, and nothing else;
 * other environments, the nodes and the cloud's metadata are out of reach in both directions.
 * Policies add up, and a pod that one selects is closed to what none allows.
 */
export function networkPolicies(intent: NamespaceIntent): readonly KubernetesObject[] {
  return [
    policy(intent, "isolation", {
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [{ podSelector: {} }] }],
      egress: [{ to: [{ podSelector: {} }] }],
    }),
    policy(intent, "dns", {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{
        to: [
          { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } },
          { ipBlock: { cidr: NODE_LOCAL_DNS } },
        ],
        ports: [{ protocol: "UDP", port: 53 }, { protocol: "TCP", port: 53 }],
      }],
    }),
    policy(intent, "internet", {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{
        to: [
          { ipBlock: { cidr: "0.0.0.0/0", except: [...NOT_PUBLIC, ...NOT_PUBLIC_EITHER] } },
          { ipBlock: { cidr: "::/0", except: NOT_PUBLIC_V6 } },
        ],
      }],
    }),
  ];
}

function policy(
  intent: NamespaceIntent,
  name: string,
  spec: Wire<V1NetworkPolicySpec>,
): KubernetesObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: policyMetadata(intent, name),
    spec,
  } satisfies Wire<V1NetworkPolicy>;
}

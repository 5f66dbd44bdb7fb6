import type { V1NetworkPolicy, V1NetworkPolicySpec } from "@kubernetes/client-node";
import type { NamespaceIntent } from "@mpc/services";
import type { KubernetesObject } from "../client/kube_object.ts";
import type { Wire } from "../client/wire_format.ts";
import { policyMetadata } from "./metadata.ts";

/** The address of the DNS cache on each node (Kubernetes, "NodeLocal DNSCache"). */
const NODE_LOCAL_DNS = "169.254.20.10/32";

/** Addresses that are not public: private, shared, loopback, link-local (cloud metadata). */
const NOT_PUBLIC = ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"];
const NOT_PUBLIC_EITHER = ["172.16.0.0/12", "192.168.0.0/16"];
const NOT_PUBLIC_V6 = ["::1/128", "fc00::/7", "fe80::/10"];

/**
 * The pods of an environment may reach only one another, DNS and the Internet. Other environments,
 * the nodes and the cloud's metadata service are blocked in both directions. Policies are additive:
 * traffic of a selected pod is blocked unless one policy allows it.
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

import type { Certificate } from "./kube_authority.ts";

export interface KubeconfigOptions {
  readonly server: string;
  /** The authority of the server's certificate, as PEM. */
  readonly ca: string;
  readonly user: string;
  readonly certificate: Certificate;
}

/** A kubeconfig with one context, `local`; JSON is YAML. */
export function kubeconfig({ server, ca, user, certificate }: KubeconfigOptions): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "local", cluster: { server, "certificate-authority-data": btoa(ca) } }],
    users: [{
      name: user,
      user: {
        "client-certificate-data": btoa(certificate.cert),
        "client-key-data": btoa(certificate.key),
      },
    }],
    contexts: [{ name: "local", context: { cluster: "local", user } }],
    "current-context": "local",
  });
}

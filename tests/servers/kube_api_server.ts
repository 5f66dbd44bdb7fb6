import { generate } from "selfsigned";
import { join } from "node:path";
import { freePort } from "@mpc/process";
import { goTool } from "./go_tool.ts";
import { createKubeAuthority, type KubeUser } from "./kube_authority.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { startServer } from "./server_process.ts";

/** A request in the API server's audit log (Kubernetes, "Auditing"). */
export interface AuditedRequest {
  /** `get`, `list`, `watch`, `patch`, `delete` … */
  readonly verb: string;
  /** Plural, for instance `deployments`; empty for paths that are not resources. */
  readonly resource: string;
}

/**
 * Logs every request when its response begins, because a watch is answered for as long as it lasts.
 */
const AUDIT_POLICY = JSON.stringify({
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "None", users: ["admin", "system:apiserver", "system:anonymous"] },
    { level: "Metadata" },
  ],
});

/** A Kubernetes API server on loopback with its etcd, and nothing that runs pods. */
export interface KubeApiServer {
  readonly url: string;
  /** The folder of its files. */
  readonly folder: string;
  /** Path of a kubeconfig with all permissions. */
  readonly kubeconfig: string;
  /** Writes the kubeconfig of another user, whose permissions RBAC decides. @returns its path */
  kubeconfigOf(user: KubeUser): Promise<string>;
  /**
   * The requests of such a user so far, without those of the administrator and the cluster itself.
   */
  requestsOf(user: string): Promise<readonly AuditedRequest[]>;
  /** Stops the API server like a crash; etcd keeps its data. */
  interrupt(): Promise<void>;
  /** Starts it again at the same address, and waits until it is ready. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one in a folder. The programs are built first if necessary, which takes minutes. */
export async function startKubeApiServer(folder: string): Promise<KubeApiServer> {
  const [etcdPath, serverPath] = await Promise.all([goTool("etcd"), goTool("kube-apiserver")]);
  const [client, peer, port] = [freePort(), freePort(), freePort()];
  const url = `https://127.0.0.1:${port}`;
  const authority = await createKubeAuthority();
  const [serving, { private: key, public: publicKey }] = await Promise.all([
    authority.server(),
    generate([], { keySize: 2048 }),
  ]);
  const files = {
    "ca.crt": authority.cert,
    "server.crt": serving.cert,
    "server.key": serving.key,
    "service-accounts.key": key,
    "service-accounts.pub": publicKey,
    "audit.yaml": AUDIT_POLICY,
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, name), text);
  }
  const kubeconfigOf = async (user: KubeUser) => {
    const path = join(folder, `${user.name}-${crypto.randomUUID()}.kubeconfig`);
    const certificate = await authority.user(user);
    const text = kubeconfig({ server: url, ca: authority.cert, user: user.name, certificate });
    await Deno.writeTextFile(path, text);
    return path;
  };
  const admin = await kubeconfigOf({ name: "admin", groups: ["system:masters"] });
  const etcd = startServer({
    name: "etcd",
    folder,
    path: etcdPath,
    args: [
      ...["--data-dir", join(folder, "etcd"), "--log-level", "error"],
      // Its data is not needed after the test.
      "--unsafe-no-fsync",
      ...["--listen-client-urls", `http://127.0.0.1:${client}`],
      ...["--advertise-client-urls", `http://127.0.0.1:${client}`],
      ...["--listen-peer-urls", `http://127.0.0.1:${peer}`],
    ],
  });
  const startApi = () =>
    startServer({
      name: "kube-apiserver",
      folder,
      path: serverPath,
      args: [
        ...["--etcd-servers", `http://127.0.0.1:${client}`, "--secure-port", String(port)],
        ...["--bind-address", "127.0.0.1", "--client-ca-file", join(folder, "ca.crt")],
        ...["--tls-cert-file", join(folder, "server.crt")],
        ...["--tls-private-key-file", join(folder, "server.key")],
        ...["--service-account-key-file", join(folder, "service-accounts.pub")],
        ...["--service-account-signing-key-file", join(folder, "service-accounts.key")],
        ...["--service-account-issuer", "https://kubernetes.default.svc"],
        ...["--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.0.0.0/16"],
        ...["--audit-policy-file", join(folder, "audit.yaml")],
        ...["--audit-log-path", join(folder, "audit.log")],
        // It asks the nodes for logs; simulated nodes allow anybody.
        ...["--kubelet-preferred-address-types", "InternalIP"],
      ],
    });
  const isReady = async () => {
    using client = Deno.createHttpClient({ caCerts: [authority.cert] });
    const response = await fetch(`${url}/readyz`, { client });
    await response.body?.cancel();
    return response.ok;
  };
  let server = startApi();
  const stop = async () => {
    await server.stop();
    await etcd.stop();
  };
  try {
    await server.untilReady(isReady);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    folder,
    kubeconfig: admin,
    kubeconfigOf,
    requestsOf: (user) => readAudit(join(folder, "audit.log"), user),
    stop,
    interrupt: () => server.stop(),
    async resume() {
      server = startApi();
      await server.untilReady(isReady);
    },
  };
}

async function readAudit(path: string, user: string): Promise<readonly AuditedRequest[]> {
  const requests = new Map<string, AuditedRequest>();
  // Text after the last end of line is still being written.
  for (const line of (await Deno.readTextFile(path)).split("\n").slice(0, -1)) {
    const { auditID, verb, user: who, objectRef } = JSON.parse(line) as {
      auditID: string;
      verb: string;
      user: { username: string };
      objectRef?: { resource?: string };
    };
    // A streamed request has two lines.
    if (who.username === user) {
      requests.set(auditID, { verb, resource: objectRef?.resource ?? "" });
    }
  }
  return [...requests.values()];
}

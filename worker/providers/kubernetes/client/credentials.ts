import { X509Certificate } from "node:crypto";
import { MpcError } from "@mpc/domain";

/** How to reach and authenticate at a cluster. */
export interface ClusterAccess {
  /** The name of the cluster in messages and records. */
  readonly cluster: string;
  /** Path of a kubeconfig; null for the service account of the pod that this process runs in. */
  readonly kubeconfig: string | null;
  /** Null for the kubeconfig's current context. */
  readonly context: string | null;
  /** Folder that contains the pod's file system; the root by default. */
  readonly podRoot?: string;
}

/** An open connection to an API server. */
export interface Endpoint {
  /** Without a trailing slash. */
  readonly server: string;
  readonly http: Deno.HttpClient;
  /** Authentication headers. To be read for each request, because tokens expire. */
  headers(): Promise<Readonly<Record<string, string>>>;
  close(): void;
}

type Applied = {
  ca?: string | Uint8Array;
  cert?: string | Uint8Array;
  key?: string | Uint8Array;
  headers?: Record<string, string>;
  servername?: string;
  rejectUnauthorized?: boolean;
};

/**
 * Opens an endpoint with client certificates, tokens, exec plugins or the pod's service account.
 * @throws {MpcError} FAILED_PRECONDITION `KUBECONFIG_UNUSABLE`, also for a missing context;
 *   UNAUTHENTICATED `CLUSTER_CREDENTIALS` if a client certificate has expired or an exec plugin fails
 */
export async function openEndpoint(access: ClusterAccess, now: number): Promise<Endpoint> {
  const { config, cluster } = await loadConfig(access);
  const apply = async (): Promise<Applied> => {
    const applied: Applied = {};
    try {
      await config.applyToHTTPSOptions(applied as Parameters<typeof config.applyToHTTPSOptions>[0]);
    } catch (error) {
      throw credentials(access, `they cannot be obtained: ${messageOf(error)}`, error);
    }
    return applied;
  };
  const first = await apply();
  const user = config.getCurrentUser();
  const changing = user?.exec !== undefined || user?.authProvider !== undefined;
  if (first.rejectUnauthorized === false || first.servername !== undefined) {
    throw unusable(
      access,
      "insecure-skip-tls-verify and tls-server-name are not supported; give certificate-authority-data",
    );
  }
  assertNotExpired(access, first.cert, now);
  const http = Deno.createHttpClient({
    ...(cluster.proxyUrl && { proxy: { url: cluster.proxyUrl } }),
    ...(first.ca && { caCerts: [text(first.ca)] }),
    ...(first.cert && first.key && { cert: text(first.cert), key: text(first.key) }),
  });
  return {
    server: cluster.server.replace(/\/+$/, ""),
    http,
    headers: async () => (changing ? await apply() : first).headers ?? {},
    close: () => http.close(),
  };
}

/**
 * Checks that a kubeconfig can be read, and that it has the context and its cluster.
 * @throws {MpcError} FAILED_PRECONDITION `KUBECONFIG_UNUSABLE`
 */
export async function assertKubeconfig(access: ClusterAccess): Promise<void> {
  await loadConfig(access);
}

async function loadConfig(access: ClusterAccess) {
  // Loading the package takes 260 ms, so it is loaded only when there is a cluster.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  load(config, access);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw unusable(access, `its context '${config.currentContext}' names no cluster`);
  return { config, cluster };
}

type Loadable = {
  loadFromFile(path: string): void;
  loadFromCluster(pathPrefix?: string): void;
  setCurrentContext(name: string): void;
  getContextObject(name: string): unknown;
  getContexts(): { readonly name: string }[];
  getCurrentCluster(): { readonly server: string } | null;
  readonly currentContext: string;
};

function load(config: Loadable, access: ClusterAccess): void {
  const { kubeconfig, context, podRoot } = access;
  try {
    if (kubeconfig === null) config.loadFromCluster(podRoot);
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    throw unusable(access, `it cannot be read: ${messageOf(error)}`, error);
  }
  if (kubeconfig === null && /undefined/.test(config.getCurrentCluster()?.server ?? "")) {
    throw unusable(access, "this process does not run in a pod");
  }
  const wanted = context ?? config.currentContext;
  if (!config.getContextObject(wanted)) {
    const names = config.getContexts().map(({ name }) => `'${name}'`).join(", ") || "none";
    throw unusable(access, `it has no context '${wanted}', its contexts are ${names}`);
  }
  config.setCurrentContext(wanted);
}

function assertNotExpired(
  access: ClusterAccess,
  certificate: string | Uint8Array | undefined,
  now: number,
): void {
  if (certificate === undefined) return;
  const { validToDate } = new X509Certificate(text(certificate));
  if (validToDate.getTime() > now) return;
  throw credentials(access, `the client certificate expired at ${validToDate.toISOString()}`);
}

function unusable({ cluster, kubeconfig }: ClusterAccess, why: string, cause?: unknown): MpcError {
  const where = kubeconfig === null ? "the pod's service account" : `kubeconfig '${kubeconfig}'`;
  return new MpcError("FAILED_PRECONDITION", {
    reason: "KUBECONFIG_UNUSABLE",
    message: `Cannot use cluster '${cluster}' by ${where}: ${why}`,
    cause,
  });
}

function credentials({ cluster }: ClusterAccess, why: string, cause?: unknown): MpcError {
  return new MpcError("UNAUTHENTICATED", {
    reason: "CLUSTER_CREDENTIALS",
    message: `Cannot use the credentials for cluster '${cluster}': ${why}; renew them`,
    cause,
  });
}

function text(pem: string | Uint8Array): string {
  return typeof pem === "string" ? pem : new TextDecoder().decode(pem);
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

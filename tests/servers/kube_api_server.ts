import { generate } from "selfsigned";
import { join } from "node:path";
import { goTool } from "./go_tool.ts";

/** A Kubernetes API server on loopback, with etcd behind it and nothing that runs pods. */
export interface KubeApiServer {
  /** Path of a kubeconfig that may do everything. */
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

const READY_MS = 60_000;
const TOKEN = "bench-token";

/** Starts one in a folder; what it needs is built where it is not there yet, which takes minutes. */
export async function startKubeApiServer(folder: string): Promise<KubeApiServer> {
  const [etcdPath, serverPath] = await Promise.all([goTool("etcd"), goTool("kube-apiserver")]);
  const [client, peer, port] = [freePort(), freePort(), freePort()];
  const { private: key, public: publicKey } = await generate([], { keySize: 2048 });
  await Deno.writeTextFile(join(folder, "sa.key"), key);
  await Deno.writeTextFile(join(folder, "sa.pub"), publicKey);
  await Deno.writeTextFile(join(folder, "tokens.csv"), `${TOKEN},admin,admin,system:masters\n`);
  const etcd = start(etcdPath, [
    ...["--data-dir", join(folder, "etcd"), "--log-level", "error"],
    ...["--listen-client-urls", `http://127.0.0.1:${client}`],
    ...["--advertise-client-urls", `http://127.0.0.1:${client}`],
    ...["--listen-peer-urls", `http://127.0.0.1:${peer}`],
  ]);
  const server = start(serverPath, [
    ...["--etcd-servers", `http://127.0.0.1:${client}`, "--secure-port", String(port)],
    ...["--bind-address", "127.0.0.1", "--cert-dir", join(folder, "certs")],
    ...["--service-account-key-file", join(folder, "sa.pub")],
    ...["--service-account-signing-key-file", join(folder, "sa.key")],
    ...["--service-account-issuer", "https://kubernetes.default.svc"],
    ...["--token-auth-file", join(folder, "tokens.csv"), "--authorization-mode", "RBAC"],
    ...["--service-cluster-ip-range", "10.0.0.0/24"],
  ]);
  const url = `https://127.0.0.1:${port}`;
  const stop = async () => {
    for (const process of [server, etcd]) await end(process);
  };
  try {
    await untilReady(url, join(folder, "certs", "apiserver.crt"));
  } catch (error) {
    await stop();
    throw error;
  }
  const kubeconfig = join(folder, "kubeconfig");
  await Deno.writeTextFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "local", cluster: { server: url, "insecure-skip-tls-verify": true } }],
      users: [{ name: "admin", user: { token: TOKEN } }],
      contexts: [{ name: "local", context: { cluster: "local", user: "admin" } }],
      "current-context": "local",
    }),
  );
  return { kubeconfig, stop };
}

function start(path: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command(path, { args, stdout: "null", stderr: "null" }).spawn();
}

async function end(process: Deno.ChildProcess): Promise<void> {
  try {
    process.kill("SIGKILL");
  } catch (error) {
    // It has ended already; what stands behind it is still to be stopped.
    if (!(error instanceof TypeError)) throw error;
  }
  await process.status;
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

async function untilReady(url: string, certificate: string): Promise<void> {
  const end = Date.now() + READY_MS;
  for (;;) {
    try {
      const caCerts = [await Deno.readTextFile(certificate)];
      using client = Deno.createHttpClient({ caCerts });
      const response = await fetch(`${url}/readyz`, {
        client,
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      await response.body?.cancel();
      if (response.ok) return;
    } catch (error) {
      // It is not up yet; past its time the last reason is told.
      if (Date.now() > end) throw new Error("the API server is not ready", { cause: error });
    }
    if (Date.now() > end) throw new Error("the API server is not ready");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

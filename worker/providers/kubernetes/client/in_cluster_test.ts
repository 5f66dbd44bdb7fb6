/** Authentication of a worker on the cluster, by its pod's service account. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "@mpc/process";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";
import { createKubeAuthority } from "../../../../tests/servers/kube_authority.ts";
import { withFolder } from "../../../../tests/servers/with_folder.ts";
import { HttpKubeClient } from "./http_kube_client.ts";
import { NAMESPACE } from "./kinds.ts";

const DEV = { ...NAMESPACE, name: "dev" };
const call = () => ({ signal: new AbortController().signal });

/** Runs with the environment variables by which the kubelet names the API server. */
async function withService(port: number, use: () => Promise<void>): Promise<void> {
  const told = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(port) };
  for (const [name, value] of Object.entries(told)) Deno.env.set(name, value);
  try {
    await use();
  } finally {
    for (const name of Object.keys(told)) Deno.env.delete(name);
  }
}

async function withClient(
  podRoot: string,
  use: (client: HttpKubeClient) => Promise<void>,
): Promise<void> {
  const access = { cluster: "own", kubeconfig: null, context: null, podRoot };
  const client = new HttpKubeClient({ access, clock: systemClock });
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

Deno.test("a pod authenticates with its token, and with the next one after its expiry", () =>
  withFolder(async (root) => {
    const authority = await createKubeAuthority();
    const account = join(root, "var/run/secrets/kubernetes.io/serviceaccount");
    const writeToken = (token: string) => writeFile(join(account, "token"), token);
    await mkdir(account, { recursive: true });
    await writeFile(join(account, "ca.crt"), authority.cert);
    await writeToken("first");
    const valid = new Set(["Bearer first"]);
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, ...await authority.server(), onListen: () => {} },
      ({ headers }) => {
        const isValid = valid.has(headers.get("authorization") ?? "");
        return isValid
          ? Response.json({ apiVersion: "v1", kind: "Namespace", metadata: { name: "dev" } })
          : Response.json({ kind: "Status", code: 401 }, { status: 401 });
      },
    );
    try {
      await withService(server.addr.port, () =>
        withClient(root, async (client) => {
          assert.equal((await client.get(DEV, call()))?.metadata.name, "dev");
          valid.clear();
          valid.add("Bearer second");
          await writeToken("second");
          assert.equal((await client.get(DEV, call()))?.metadata.name, "dev");
        }));
    } finally {
      await server.shutdown();
    }
  }));

Deno.test("a pod without a service account is reported", () =>
  withFolder((root) =>
    withService(443, () =>
      withClient(root, async (client) => {
        const answer = client.get(DEV, call());
        const error = await rejectsWith(answer, "UNAUTHENTICATED", "CLUSTER_CREDENTIALS");
        assert.match(error.message, /cannot be obtained: .*serviceaccount/);
      }))
  ));

Deno.test("a process outside a pod has no service account", () =>
  withClient("", async (client) => {
    const answer = client.get(DEV, call());
    const error = await rejectsWith(answer, "FAILED_PRECONDITION", "KUBECONFIG_UNUSABLE");
    assert.match(error.message, /the pod's service account: this process does not run in a pod/);
  }));

/** Authentication by the certificates, tokens and exec plugins of a kubeconfig. */
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";
import { createKubeAuthority } from "../../../../tests/servers/kube_authority.ts";
import { kubeconfig } from "../../../../tests/servers/kubeconfig.ts";
import {
  ann,
  authority,
  call,
  DEV,
  dev,
  serverTest,
  status,
} from "../../../../tests/servers/scripted_kube_server.ts";

serverTest(
  "a server certificate of another authority is not trusted",
  () => Response.json(dev),
  async ({ clientOf, url }) => {
    const other = await createKubeAuthority();
    const client = clientOf(
      kubeconfig({ server: url, ca: other.cert, user: "ann", certificate: ann }),
    );
    const call_ = client.get(DEV, call());
    await rejectsWith(call_, "FAILED_PRECONDITION", "CLUSTER_NOT_TRUSTED");
  },
);

serverTest(
  "an expired client certificate is reported without a request",
  () => Response.json(dev),
  async ({ clientOf, url, requests }) => {
    const certificate = await authority.user({ name: "late", notAfter: new Date(2020, 0, 1) });
    const client = clientOf(
      kubeconfig({ server: url, ca: authority.cert, user: "late", certificate }),
    );
    const error = await rejectsWith(
      client.get(DEV, call()),
      "UNAUTHENTICATED",
      "CLUSTER_CREDENTIALS",
    );
    assert.match(error.message, /client certificate expired at 20(19|20)-.*; renew them/);
    assert.equal(requests.length, 0);
  },
);

const CONFIGS: readonly (readonly [string, object | string, string | undefined, RegExp])[] = [
  ["invalid YAML", "{", undefined, /cannot be read/],
  [
    "a missing context",
    { contexts: [{ name: "a", context: { cluster: "c", user: "u" } }] },
    "b",
    /has no context 'b', its contexts are 'a'/,
  ],
  [
    "a context without a cluster",
    { contexts: [{ name: "a", context: { cluster: "c", user: "u" } }], "current-context": "a" },
    undefined,
    /names no cluster/,
  ],
  [
    "disabled certificate checks",
    {
      clusters: [{ name: "c", cluster: { server: "https://x", "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "a", context: { cluster: "c", user: "u" } }],
      "current-context": "a",
    },
    undefined,
    /insecure-skip-tls-verify/,
  ],
];

for (const [name, config, context, message] of CONFIGS) {
  serverTest(
    `a kubeconfig with ${name} is rejected with the reason`,
    () => Response.json(dev),
    async ({ clientOf }) => {
      const answer = clientOf(config, context).get(DEV, call());
      const error = await rejectsWith(answer, "FAILED_PRECONDITION", "KUBECONFIG_UNUSABLE");
      assert.match(error.message, message);
    },
  );
}

const byUser = (server: string, user: object) => ({
  clusters: [{
    name: "c",
    cluster: { server, "certificate-authority-data": btoa(authority.cert) },
  }],
  users: [{ name: "u", user }],
  contexts: [{ name: "a", context: { cluster: "c", user: "u" } }],
  "current-context": "a",
});

serverTest(
  "tokens and exec plugins authenticate requests",
  () => Response.json(dev),
  async ({ clientOf, url, folder, requests }) => {
    const plugin = join(folder, "plugin");
    const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential" };
    const answer = JSON.stringify({ ...credential, status: { token: "from-plugin" } });
    await writeFile(plugin, `#!/bin/sh\necho x >> ${folder}/calls\necho '${answer}'\n`);
    await chmod(plugin, 0o755);
    await clientOf(byUser(url, { token: "plain" })).get(DEV, call());
    const exec = { apiVersion: credential.apiVersion, command: plugin, interactiveMode: "Never" };
    const byPlugin = clientOf(byUser(url, { exec }));
    await byPlugin.get(DEV, call());
    await byPlugin.get(DEV, call());
    assert.deepEqual(requests.map(({ authorization }) => authorization), [
      "Bearer plain",
      "Bearer from-plugin",
      "Bearer from-plugin",
    ]);
    assert.equal(await Deno.readTextFile(`${folder}/calls`), "x\n", "it is asked once");
  },
);

serverTest(
  "rejected credentials are renewed, but not at every request",
  (request) =>
    request.headers.get("authorization") === "Bearer token-2" ? Response.json(dev) : status(401),
  async ({ clientOf, url, folder, requests }) => {
    const plugin = join(folder, "plugin");
    const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential" };
    const answer = JSON.stringify({ ...credential, status: { token: "token-N" } });
    // Each call of the plugin returns the next token.
    await writeFile(
      plugin,
      `#!/bin/sh\necho x >> ${folder}/calls\nn=$(wc -l < ${folder}/calls)\n` +
        `echo '${answer}' | sed "s/token-N/token-$n/"\n`,
    );
    await chmod(plugin, 0o755);
    const client = clientOf(byUser(url, { exec: { command: plugin, interactiveMode: "Never" } }));
    assert.equal((await client.get(DEV, call()))?.metadata.name, "dev");
    assert.equal(requests.length, 2);
    const refused = clientOf(byUser(url, { token: "never" }));
    for (let time = 0; time < 2; time++) {
      await rejectsWith(refused.get(DEV, call()), "UNAUTHENTICATED", "CLUSTER_CREDENTIALS");
    }
    assert.equal(requests.length, 2 + 2 + 1);
  },
);

serverTest(
  "the error of a failing exec plugin contains its output",
  () => Response.json(dev),
  async ({ clientOf, url, folder }) => {
    const plugin = join(folder, "plugin");
    await writeFile(plugin, "#!/bin/sh\necho 'log in first' >&2\nexit 1\n");
    await chmod(plugin, 0o755);
    const exec = { command: plugin, interactiveMode: "Never" };
    const answer = clientOf(byUser(url, { exec })).get(DEV, call());
    const error = await rejectsWith(answer, "UNAUTHENTICATED", "CLUSTER_CREDENTIALS");
    assert.match(error.message, /log in first/);
  },
);

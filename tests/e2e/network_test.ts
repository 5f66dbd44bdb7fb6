/** The API alone as other machines reach it: by TLS, with an access file. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startTask } from "../servers/task_process.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { TestAuthority, writePair } from "../servers/test_authority.ts";
import { withFolder } from "../servers/with_folder.ts";

Deno.test("the task api:network serves TLS on all addresses", NO_SANITIZERS, async () => {
  const authority = await TestAuthority.create();
  const pair = await authority.issue("server", { validMs: 24 * 3_600_000 });
  await withFolder(async (certificates) => {
    const { certFile, keyFile } = await writePair(certificates, "server", pair);
    const accessFile = join(certificates, "access.yaml");
    await writeFile(accessFile, "bindings:\n- role: viewer\n  principals: ['user:ann']\n");
    await withFolder(async (dataDir) => {
      const api = startTask("api:network", dataDir, [
        "--grpc-listen=0.0.0.0:0",
        "--web-listen=0.0.0.0:0",
        `--tls-cert=${certFile}`,
        `--tls-key=${keyFile}`,
        `--access-file=${accessFile}`,
      ]);
      try {
        const port = await api.line((line) => /web +https:\/\/0\.0\.0\.0:(\d+)/.exec(line)?.[1]);
        using client = Deno.createHttpClient({ caCerts: [authority.cert] });
        const readyz = await fetch(`https://localhost:${port}/readyz`, { client });
        const { checks } = await readyz.json();
        const tls = checks.find(({ name }: { name: string }) => name === "tls");
        assert.equal(tls.ready, true);
        assert.match(tls.warning, /^the certificate of --tls-cert expires at 20/);

        const path = "/mpc.v1.EnvironmentService/ListEnvironments";
        const answer = await fetch(`https://localhost:${port}${path}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: "{}",
          client,
        });
        assert.equal(answer.status, 401, "nobody is the local user here");
        await answer.body?.cancel();
        assert.doesNotMatch(api.output(), /insecure/);
      } finally {
        api.kill("SIGTERM");
        assert.equal((await api.status).code, 0);
      }
    });
  });
});

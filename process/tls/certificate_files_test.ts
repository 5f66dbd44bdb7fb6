import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MpcError } from "@mpc/domain";
import { type Pair, TestAuthority, writePair } from "../../tests/servers/test_authority.ts";
import { withFolder } from "../../tests/servers/with_folder.ts";
import { CertificateFiles } from "./certificate_files.ts";

const DAY_MS = 24 * 3_600_000;

const authority = await TestAuthority.create();
const first = await authority.issue("first", { validMs: 30 * DAY_MS });
const second = await authority.issue("second", { validMs: 60 * DAY_MS });

async function withFiles(
  use: (files: CertificateFiles, folder: string, clock: { ms: number }) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const paths = await writePair(folder, "server", first);
    const clientCaFile = join(folder, "clients.crt");
    await writeFile(clientCaFile, authority.cert);
    const clock = { ms: Date.now() };
    const files = new CertificateFiles({ ...paths, clientCaFile }, {
      clock: { now: () => clock.ms },
      pollMs: 600_000,
    });
    try {
      await use(files, folder, clock);
    } finally {
      files.close();
    }
  });
}

Deno.test("CertificateFiles uses a new pair", async () => {
  await withFiles(async (files, folder) => {
    assert.equal(files.current.cert, first.cert);
    const { clients } = files.current;
    await writePair(folder, "server", second);
    files.check();
    assert.deepEqual([files.current.cert, files.current.key], [second.cert, second.key]);
    assert.equal(files.current.clients, clients, "sessions of clients stay valid");
  });
});

const BROKEN: Readonly<Record<string, Pair>> = {
  "a certificate that belongs to another key": { cert: second.cert, key: first.key },
  "no certificate": { cert: "", key: second.key },
  "a truncated certificate": { cert: second.cert.slice(0, 200), key: second.key },
  "a certificate of garbage": {
    cert: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    key: second.key,
  },
  "no key": { cert: second.cert, key: "" },
};
for (const [what, pair] of Object.entries(BROKEN)) {
  Deno.test(`CertificateFiles keeps the old pair when there is ${what}`, async () => {
    await withFiles(async (files, folder) => {
      await writePair(folder, "server", pair);
      files.check();
      assert.equal(files.current.cert, first.cert);
      assert.match(await files.assertReady() ?? "", /^the new certificates cannot be used: /);
      assert.ok(!(await files.assertReady() ?? "").includes("BEGIN"));
      await writePair(folder, "server", second);
      files.check();
      assert.equal(files.current.cert, second.cert);
      assert.equal(await files.assertReady(), undefined);
    });
  });

  Deno.test(`CertificateFiles refuses to start with ${what}`, async () => {
    await withFolder(async (folder) => {
      const paths = await writePair(folder, "server", pair);
      assert.throws(() => new CertificateFiles({ ...paths, clientCaFile: null }), (error) => {
        assert.ok(error instanceof MpcError);
        assert.equal(error.reason, "CERTIFICATE_UNUSABLE");
        assert.match(error.message, /^Cannot serve TLS: .*--tls-(?:cert|key)/);
        assert.ok(!error.message.includes(pair.key.slice(40, 60) || "BEGIN"), error.message);
        return true;
      });
    });
  });
}

Deno.test("CertificateFiles refuses authorities of clients that are none", async () => {
  await withFolder(async (folder) => {
    const paths = await writePair(folder, "server", first);
    assert.throws(
      () => new CertificateFiles({ ...paths, clientCaFile: paths.certFile }),
      /--tls-client-ca has a certificate that is not a certificate authority's/,
    );
    assert.throws(
      () => new CertificateFiles({ ...paths, clientCaFile: join(folder, "missing") }),
      /--tls-client-ca '.*missing' cannot be read/,
    );
  });
});

Deno.test("CertificateFiles warns seven days before the certificate expires", async () => {
  await withFiles(async (files, _folder, clock) => {
    const start = clock.ms;
    assert.equal(await files.assertReady(), undefined);
    clock.ms = start + 22 * DAY_MS;
    assert.equal(await files.assertReady(), undefined);
    clock.ms = start + 24 * DAY_MS;
    assert.match(await files.assertReady() ?? "", /^the certificate of --tls-cert expires at 20/);
    clock.ms = start + 31 * DAY_MS;
    await assert.rejects(files.assertReady(), { reason: "CERTIFICATE_EXPIRED" });
  });
});

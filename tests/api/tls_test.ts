/** TLS at both doors: protocols, certificates of clients, replaced certificates, and limits. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { once } from "node:events";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { CertificateFiles, certificatesOf, listen } from "@mpc/process";
import { rawPeer } from "../fuzz/raw_peer.ts";
import { eventually } from "../servers/eventually.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { runCommand } from "../servers/run_command.ts";
import { TestAuthority, writePair } from "../servers/test_authority.ts";
import { callGrpc, callWeb, openPlainDoors, openTlsDoors } from "../servers/tls_doors.ts";
import { withFolder } from "../servers/with_folder.ts";

const authority = await TestAuthority.create();
const foreign = await TestAuthority.create("foreign authority");
const server = await authority.issue("server");
const ca = authority.cert;
const clientCa = authority.cert;

const withoutClients = certificatesOf({ ...server, clientCa: null });
const withClients = certificatesOf({ ...server, clientCa });

const ann = await authority.issue("ann");

function test(title: string, fn: () => Promise<void>): void {
  Deno.test({ name: `TLS: ${title}`, ...NO_SANITIZERS, fn });
}

/** Runs `openssl s_client`, which sends nothing. @returns all that it prints */
async function openssl(port: number, ...args: readonly string[]): Promise<string> {
  const connect = ["openssl", "s_client", "-connect", `127.0.0.1:${port}`, ...args];
  const { out, err } = await runCommand(connect, { stdin: "" });
  return out + err;
}

test("clients of gRPC, HTTP/1.1 and HTTP/2 are answered", async () => {
  await using doors = await openTlsDoors(() => withoutClients);
  assert.equal(await callGrpc(doors.grpc, { ca }), "nobody");
  assert.equal(await callWeb(doors.web, { ca }, "http1"), "nobody");
  assert.equal(await callWeb(doors.web, { ca }, "http2"), "nobody");
  assert.equal(await callGrpc(doors.grpc, { ca, own: ann }), "nobody", "nobody asked for it");
});

test("curl is answered by HTTP/1.1 and HTTP/2", async () => {
  await using doors = await openTlsDoors(() => withoutClients);
  await withFolder(async (folder) => {
    const { certFile } = await writePair(folder, "ca", authority.pair);
    for (const [flag, version] of [["--http1.1", "1.1"], ["--http2", "2"]] as const) {
      const url = `https://localhost:${doors.web.address.port}/healthz`;
      const args = ["--silent", "--show-error", "--cacert", certFile, flag];
      const { out, err } = await runCommand([
        ...["curl", ...args, "--write-out", "%{http_version}", url],
      ]);
      assert.equal(out, `ok\n${version}`, err);
    }
  });
});

test("versions before 1.2 are refused, 1.2 and 1.3 are served", async () => {
  await using doors = await openTlsDoors(() => withoutClients);
  for (const { address } of [doors.grpc, doors.web]) {
    const old = await openssl(address.port, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0");
    assert.match(old, /alert|Cipher is \(NONE\)/);
    assert.doesNotMatch(old, /New, TLSv1\.1/);
    assert.match(await openssl(address.port, "-tls1_2"), /New, TLSv1\.2/);
    assert.match(await openssl(address.port, "-tls1_3"), /New, TLSv1\.3/);
  }
});

test("each door offers the protocols that it speaks", async () => {
  await using doors = await openTlsDoors(() => withoutClients);
  const alpn = (port: number, names: string) => openssl(port, "-alpn", names);
  assert.match(await alpn(doors.grpc.address.port, "http/1.1,h2"), /ALPN protocol: h2/);
  assert.match(await alpn(doors.web.address.port, "h2,http/1.1"), /ALPN protocol: h2/);
  assert.match(await alpn(doors.web.address.port, "http/1.1"), /ALPN protocol: http\/1\.1/);
  assert.doesNotMatch(await alpn(doors.grpc.address.port, "http/1.1"), /ALPN protocol/);
});

test("renegotiation is refused", async () => {
  await using doors = await openTlsDoors(() => withoutClients);
  for (const { address } of [doors.grpc, doors.web]) {
    const connect = ["openssl", "s_client", "-connect", `127.0.0.1:${address.port}`, "-tls1_2"];
    const { err } = await runCommand(connect, { stdin: "R\n" });
    assert.match(
      err,
      /RENEGOTIATING[\s\S]*(?:no renegotiation|unexpected (?:eof|record)|reset|errno)/i,
    );
  }
  assert.equal(await callGrpc(doors.grpc, { ca }), "nobody");
});

test("clients without TLS are told that it is needed", async () => {
  await using doors = await openTlsDoors(() => withoutClients);
  for (const { address } of [doors.grpc, doors.web]) {
    const http1 = await rawPeer(address.port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert.match(await http1.ended, /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*call it by https/);
    const http2 = await rawPeer(address.port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert.match(await http2.ended, /this port serves TLS only$/);
  }
  assert.equal(await callGrpc(doors.grpc, { ca }), "nobody");
  assert.equal(await callWeb(doors.web, { ca }), "nobody");
});

test("clients with TLS at a port without it are disconnected", async () => {
  await using doors = await openPlainDoors();
  for (const { address } of [doors.grpc, doors.web]) {
    assert.doesNotMatch(await openssl(address.port), /New, TLS/);
  }
  await assert.rejects(callGrpc(doors.grpc, { ca }));
  const health = await fetch(`http://127.0.0.1:${doors.web.address.port}/healthz`);
  assert.equal(await health.text(), "ok\n");
});

const CALLS = { gRPC: callGrpc, web: callWeb } as const;

for (const [door, call] of Object.entries(CALLS)) {
  const at = (doors: Awaited<ReturnType<typeof openTlsDoors>>) =>
    door === "gRPC" ? doors.grpc : doors.web;

  test(`${door} door: a valid client certificate names the caller, and none is needed`, async () => {
    await using doors = await openTlsDoors(() => withClients);
    assert.equal(await call(at(doors), { ca, own: ann }), "ann");
    assert.equal(await call(at(doors), { ca }), "nobody");
    const forClients = await authority.issue("bob", { purpose: "clientAuth" });
    assert.equal(await call(at(doors), { ca, own: forClients }), "bob");
  });

  const REFUSED = {
    "of a foreign authority": () => foreign.issue("ann"),
    "that has expired": () => authority.issue("ann", { validMs: -60_000 }),
    "that is for servers alone": () => authority.issue("ann", { purpose: "serverAuth" }),
    "that is the authority's own": () => Promise.resolve(authority.pair),
  };
  for (const [kind, issue] of Object.entries(REFUSED)) {
    test(`${door} door: a client certificate ${kind} is refused`, async () => {
      await using doors = await openTlsDoors(() => withClients);
      const own = await issue();
      await assert.rejects(call(at(doors), { ca, own }));
      assert.equal(await call(at(doors), { ca, own: ann }), "ann");
      await eventually("the refused connection is not counted", async () => {
        assert.equal(doors.peers.connected, 0);
        await Promise.resolve();
      });
    });
  }
}

const REQUEST = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const SERVED = /HTTP\/1\.1 200/;

/** A server of this process that lets every client in. Deno's sessions are valid at any server. */
async function withCarelessServer(use: (port: number) => Promise<void>): Promise<void> {
  const careless = createTlsServer(
    { ...server, ca, requestCert: true, rejectUnauthorized: false },
    (socket) => socket.on("error", () => {}).on("data", () => socket.end("let in")),
  );
  const { port } = await listen(careless, { host: "127.0.0.1", port: 0 });
  try {
    await use(port);
  } finally {
    await new Promise((resolve) => careless.close(resolve));
  }
}

for (const version of ["-tls1_2", "-tls1_3"]) {
  test(`a session resumes only if its client was verified (${version})`, async () => {
    await using doors = await openTlsDoors(() => withClients);
    const { port } = doors.web.address;
    await withFolder(async (folder) => {
      const client = (at: number, ...args: readonly string[]) => {
        const connect = ["-connect", `127.0.0.1:${at}`, version, "-ign_eof"];
        return runCommand(["openssl", "s_client", ...connect, ...args], { stdin: REQUEST });
      };
      const known = await writePair(folder, "ann", await authority.issue("ann"));
      const kept = join(folder, "kept.pem");
      const own = ["-cert", known.certFile, "-key", known.keyFile];
      assert.match((await client(port, ...own, "-sess_out", kept)).out, SERVED);
      const resumed = await client(port, "-sess_in", kept);
      assert.match(resumed.out, /^Reused, TLS/m);
      assert.match(resumed.out, SERVED);

      const unknown = await writePair(folder, "mallory", await foreign.issue("ann"));
      const stolen = join(folder, "stolen.pem");
      await withCarelessServer(async (at) => {
        const args = ["-cert", unknown.certFile, "-key", unknown.keyFile, "-sess_out", stolen];
        assert.match((await client(at, ...args)).out, /let in/);
      });
      const refused = await client(port, "-sess_in", stolen);
      assert.match(refused.out, /^Reused, TLS/m, "Deno itself takes the session");
      assert.doesNotMatch(refused.out, SERVED);
    });
  });
}

const CALL = "POST /mpc.v1.DiagnosticsService/GetServerInfo HTTP/1.1\r\nHost: localhost\r\n" +
  "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/** Sends a request by openssl, which ends when the server closes the connection. */
const sent = (port: number, request: string) =>
  runCommand(["openssl", "s_client", "-connect", `127.0.0.1:${port}`, "-quiet", "-ign_eof"], {
    stdin: request,
  });

test("a large answer arrives whole before the connection is closed", async () => {
  const version = "x".repeat(3_000_000);
  await using doors = await openTlsDoors(() => withoutClients, {}, () => ({ version }));
  for (const protocol of ["http1", "http2"] as const) {
    assert.equal((await callWeb(doors.web, { ca }, protocol)).length, version.length);
  }
  const { out } = await sent(
    doors.web.address.port,
    CALL.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
  );
  assert.equal(out.match(/x+"}$/)?.[0].length, version.length + 2);
});

test("a caller that disconnects cancels its call", async () => {
  const started = Promise.withResolvers<AbortSignal>();
  await using doors = await openTlsDoors(() => withoutClients, {}, ({ signal }) => {
    started.resolve(signal);
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  });
  const socket = connectTls({ port: doors.web.address.port, host: "127.0.0.1", ca });
  await once(socket, "secureConnect");
  socket.write(CALL);
  const signal = await started.promise;
  const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
  socket.destroy();
  await aborted;
  await eventually("the connection is not counted", async () => {
    assert.equal(doors.peers.connected, 0);
    await Promise.resolve();
  });
});

test("an idle connection is closed by the web door in time", async () => {
  await using doors = await openTlsDoors(() => withoutClients, { idleTimeoutMs: 100 });
  const { out } = await sent(
    doors.web.address.port,
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
  );
  assert.match(out, /HTTP\/1\.1 200 /);
});

test("half-open handshakes are counted for their peer, and end in time", async () => {
  const limits = { maxConnections: 8, handshakeTimeoutMs: 500 };
  await using doors = await openTlsDoors(() => withoutClients, limits);
  const starts = ["", "\x16", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc"];
  for (const { address } of [doors.grpc, doors.web]) {
    const peers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => rawPeer(address.port, starts[index % 3]!)),
    );
    assert.ok(doors.peers.connected <= 8, `${doors.peers.connected} are open`);
    assert.ok(!(await Promise.all(peers.map(({ ended }) => ended))).some((said) => said !== ""));
    await eventually("all are closed", async () => {
      assert.equal(doors.peers.connected, 0);
      await Promise.resolve();
    });
  }
  assert.equal(await callGrpc(doors.grpc, { ca }), "nobody");
  assert.equal(await callWeb(doors.web, { ca }), "nobody");
});

test("handshakes do not keep the doors from closing", async () => {
  const doors = await openTlsDoors(() => withoutClients, { handshakeTimeoutMs: 600_000 });
  const silent = await Promise.all([
    rawPeer(doors.grpc.address.port, "\x16"),
    rawPeer(doors.web.address.port, "\x16"),
  ]);
  await doors[Symbol.asyncDispose]();
  await Promise.all(silent.map(({ ended }) => ended));
});

test("certificates are replaced under load, without a failed call", async () => {
  await withFolder(async (folder) => {
    const next = await authority.issue("next server");
    const paths = await writePair(folder, "server", server);
    const files = new CertificateFiles({ ...paths, clientCaFile: null });
    try {
      await using doors = await openTlsDoors(() => files.current);
      const subject = async (port: number) =>
        /subject=(.*)/.exec(await openssl(port, "-servername", "localhost"))?.[1] ?? "";
      let over = false;
      let calls = 0;
      const load = [
        () => callGrpc(doors.grpc, { ca }),
        () => callWeb(doors.web, { ca }, "http1"),
        () => callWeb(doors.web, { ca }, "http2"),
      ].map(async (call) => {
        while (!over) {
          assert.equal(await call(), "nobody");
          calls++;
        }
      });
      try {
        for (const { address } of [doors.grpc, doors.web]) {
          assert.match(await subject(address.port), /CN = server/);
        }
        await writePair(folder, "server", next);
        files.check();
        for (const { address } of [doors.grpc, doors.web]) {
          assert.match(await subject(address.port), /CN = next server/);
        }
      } finally {
        over = true;
        await Promise.all(load);
      }
      assert.ok(calls >= 3, `${calls} calls`);
    } finally {
      files.close();
    }
  });
});

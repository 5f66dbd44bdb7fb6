/** How the client gets on with servers that are busy, slow, broken or not ours. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@mpc/process";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";
import { freePort } from "../../../../tests/servers/free_port.ts";
import { createKubeAuthority } from "../../../../tests/servers/kube_authority.ts";
import { kubeconfig } from "../../../../tests/servers/kubeconfig.ts";
import { HttpKubeClient } from "./http_kube_client.ts";
import { CONFIG_MAP, NAMESPACE } from "./kinds.ts";
import type { WatchEvent } from "./kube_client.ts";
import { DEFAULT_LIMITS } from "./requester.ts";

type Handler = (request: Request, call: number) => Response | Promise<Response>;

const authority = await createKubeAuthority();
const ann = await authority.user({ name: "ann" });
const call = () => ({ signal: new AbortController().signal });
const DEV = { ...NAMESPACE, name: "dev" };
const dev = { apiVersion: "v1", kind: "Namespace", metadata: { name: "dev" } };

const status = (code: number, more: object = {}, headers: HeadersInit = {}) =>
  Response.json({ kind: "Status", code, ...more }, { status: code, headers });

/** A stream of these texts, which then stays open. */
function stream(...texts: readonly string[]): Response {
  const encoder = new TextEncoder();
  return new Response(
    new ReadableStream({
      start(controller) {
        for (const text of texts) controller.enqueue(encoder.encode(text));
      },
    }),
  );
}

interface Asked {
  readonly url: string;
  readonly authorization: string | null;
}

interface World {
  readonly client: HttpKubeClient;
  /** The same, that gives an answer no more than 200 ms. */
  readonly impatient: HttpKubeClient;
  readonly url: string;
  readonly folder: string;
  /** What was asked, so far. */
  readonly requests: Asked[];
  /** A client by another kubeconfig. */
  clientOf(config: object | string, context?: string): HttpKubeClient;
}

async function withServer(handler: Handler, use: (world: World) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "mpc-kube-client-"));
  const requests: Asked[] = [];
  const { cert, key } = await authority.server();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    (request) => {
      const authorization = request.headers.get("authorization");
      requests.push({ url: request.url, authorization });
      return handler(request, requests.length);
    },
  );
  const url = `https://127.0.0.1:${server.addr.port}`;
  const clients: HttpKubeClient[] = [];
  let configs = 0;
  const clientOf = (config: object | string, context?: string, timeoutMs = 30_000) => {
    const path = join(folder, `${configs++}.kubeconfig`);
    Deno.writeTextFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
    const client = new HttpKubeClient({
      access: { cluster: "east", kubeconfig: path, context: context ?? null },
      clock: systemClock,
      limits: { ...DEFAULT_LIMITS, requestTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs },
    });
    clients.push(client);
    return client;
  };
  const config = kubeconfig({ server: url, ca: authority.cert, user: "ann", certificate: ann });
  const [client, impatient] = [clientOf(config), clientOf(config, undefined, 200)];
  try {
    await use({ client, impatient, url, folder, requests, clientOf });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await server.shutdown();
    await rm(folder, { recursive: true });
  }
}

function serverTest(name: string, handler: Handler, use: (world: World) => Promise<void>): void {
  Deno.test(name, () => withServer(handler, use));
}

serverTest(
  "a busy server is asked again when it says to",
  (_, call) => call <= 2 ? status(429, {}, { "retry-after": "0.1" }) : Response.json(dev),
  async ({ client, requests }) => {
    assert.equal((await client.get(DEV, call()))?.metadata.name, "dev");
    assert.equal(requests.length, 3);
  },
);

serverTest(
  "a server that stays busy is given up on",
  () => status(503, { details: { retryAfterSeconds: 0.1 } }),
  async ({ client, requests }) => {
    await rejectsWith(client.get(DEV, call()), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.equal(requests.length, 4);
  },
);

serverTest(
  "a failure that asks for no repetition is told at once",
  () => status(500, { message: "etcd is not there" }),
  async ({ client, requests }) => {
    const error = await rejectsWith(client.get(DEV, call()), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.match(error.message, /'east' answered 500 .*etcd is not there/);
    assert.equal(requests.length, 1);
  },
);

serverTest(
  "a server that does not answer in time is UNAVAILABLE",
  ({ signal }) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve(status(500)))),
  async ({ impatient }) => {
    const error = await rejectsWith(
      impatient.get(DEV, call()),
      "UNAVAILABLE",
      "CLUSTER_UNREACHABLE",
    );
    assert.match(error.message, /no answer within 200 ms/);
  },
);

serverTest(
  "a call that its caller aborts ends at once",
  ({ signal }) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve(status(500)))),
  async ({ client }) => {
    const stop = new AbortController();
    const answer = client.get(DEV, stop);
    stop.abort();
    await rejectsWith(answer, "CANCELLED", "ABORTED_BY_CALLER");
  },
);

serverTest(
  "a server that fails again and again is left alone for a while",
  () => status(502),
  async ({ client, requests }) => {
    for (let time = 0; time < 5; time++) await assert.rejects(client.get(DEV, call()));
    const error = await rejectsWith(client.get(DEV, call()), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.match(error.message, /failed 5 times in a row, the next trial is at/);
    assert.equal(requests.length, 5);
  },
);

serverTest(
  "a server that is not there is CLUSTER_UNREACHABLE",
  () => Response.json(dev),
  async ({ clientOf }) => {
    const server = `https://127.0.0.1:${freePort()}`;
    const config = kubeconfig({ server, ca: authority.cert, user: "ann", certificate: ann });
    const answer = clientOf(config).get(DEV, call());
    const error = await rejectsWith(answer, "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.match(error.message, /Cannot read 'Namespace\/dev': cluster 'east' cannot be reached/);
  },
);

serverTest(
  "a certificate of somebody else is not trusted",
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
  "a client certificate that has expired is named before anybody is called",
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
  ["no YAML", "{", undefined, /cannot be read/],
  [
    "no such context",
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
    "certificates that are not checked",
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
    `a kubeconfig with ${name} is refused, with why`,
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
  "tokens and exec plugins say who we are",
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
  "credentials that are refused are had anew, but not again and again",
  (request) =>
    request.headers.get("authorization") === "Bearer token-2" ? Response.json(dev) : status(401),
  async ({ clientOf, url, folder, requests }) => {
    const plugin = join(folder, "plugin");
    const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential" };
    const answer = JSON.stringify({ ...credential, status: { token: "token-N" } });
    // Each time it is asked, it answers with the next token.
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
  "an exec plugin that fails is told with its own words",
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

serverTest(
  "a long list is read page by page",
  (request) => {
    const next = new URL(request.url).searchParams.get("continue");
    const item = (name: string) => ({ metadata: { name } });
    return Response.json(
      next
        ? { metadata: { resourceVersion: "7" }, items: [item("b")] }
        : { metadata: { resourceVersion: "7", continue: "more" }, items: [item("a")] },
    );
  },
  async ({ client }) => {
    const { items, resourceVersion } = await client.list(CONFIG_MAP, {}, call());
    assert.deepEqual(items.map(({ kind, metadata }) => [kind, metadata.name]), [
      ["ConfigMap", "a"],
      ["ConfigMap", "b"],
    ]);
    assert.equal(resourceVersion, "7");
  },
);

const object = (name: string) => ({ ...CONFIG_MAP, metadata: { name, resourceVersion: "8" } });
const added = `${JSON.stringify({ type: "ADDED", object: object("ä") })}\n`;
const bookmark = `${JSON.stringify({ type: "BOOKMARK", object: object("") })}\n`;
const expired = `${JSON.stringify({ type: "ERROR", object: { code: 410, message: "too old" } })}\n`;

async function watched(client: HttpKubeClient, into: WatchEvent["type"][]): Promise<void> {
  const events = client.watch(CONFIG_MAP, {}, { ...call(), resourceVersion: "7" });
  for await (const { type } of events) into.push(type);
}

serverTest(
  "a watch tells what comes, however it is cut up, and that its version is too old",
  () => stream(added.slice(0, 60), added.slice(60) + bookmark, expired),
  async ({ client, requests }) => {
    const seen: WatchEvent["type"][] = [];
    await rejectsWith(watched(client, seen), "OUT_OF_RANGE", "WATCH_EXPIRED");
    assert.deepEqual(seen, ["OPENED", "ADDED", "BOOKMARK"]);
    const { searchParams } = new URL(requests[0]!.url);
    assert.deepEqual(
      ["watch", "allowWatchBookmarks", "resourceVersion"].map((name) => searchParams.get(name)),
      ["true", "true", "7"],
    );
  },
);

serverTest(
  "a watch that is told nothing for too long is UNAVAILABLE",
  () => stream(added),
  async ({ impatient }) => {
    const error = await rejectsWith(watched(impatient, []), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.match(error.message, /has told nothing for 200 ms/);
  },
);

serverTest(
  "a watch that is cut off in a line is UNAVAILABLE, and an answer that does not end",
  (request) =>
    request.url.includes("watch=true") ? new Response(added.slice(0, 60)) : stream('{"kind":'),
  async ({ impatient }) => {
    await rejectsWith(watched(impatient, []), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    const error = await rejectsWith(
      impatient.get(DEV, call()),
      "UNAVAILABLE",
      "CLUSTER_UNREACHABLE",
    );
    assert.match(error.message, /has told nothing for 200 ms/);
  },
);

serverTest(
  "a line without an end is cut, and those after it are told whole",
  () => {
    const endless = "x".repeat(50 * 1024);
    return new Response(
      ReadableStream.from([`2030-01-01T00:00:01Z `, endless, endless, "\n2030-01-01T00:00:02Z b\n"])
        .pipeThrough(new TextEncoderStream()),
    );
  },
  async ({ client }) => {
    const query = { namespace: "dev", pod: "web-1", follow: false, tail: null, since: null };
    const lines: string[] = [];
    for await (const { text } of client.podLogs({ ...query, ...call() })) lines.push(text);
    assert.deepEqual(lines.map(({ length }) => length), [64 * 1024 - 21, 1]);
  },
);

const page = (name: string, more: object = {}) =>
  Response.json({ metadata: { resourceVersion: "7", ...more }, items: [{ metadata: { name } }] });

serverTest(
  "a list whose pages are no longer kept is begun anew",
  (request, call) => {
    const at = new URL(request.url).searchParams.get("continue");
    if (at === null) return page("first", { continue: "more" });
    return call === 2 ? status(410, { reason: "Expired" }) : page("second");
  },
  async ({ client, requests }) => {
    const { items } = await client.list(CONFIG_MAP, { namespace: "dev" }, call());
    assert.deepEqual(items.map(({ metadata }) => metadata.name), ["first", "second"]);
    assert.equal(requests.length, 4);
  },
);

serverTest(
  "a list whose pages are never kept is given up",
  (request) =>
    new URL(request.url).searchParams.has("continue")
      ? status(410, { reason: "Expired" })
      : page("first", { continue: "more" }),
  async ({ client, requests }) => {
    const list = client.list(CONFIG_MAP, { namespace: "dev" }, call());
    await rejectsWith(list, "OUT_OF_RANGE", "WATCH_EXPIRED");
    assert.equal(requests.length, 6);
  },
);

serverTest(
  "logs are lines with their times, since a moment",
  (request) => {
    const { searchParams } = new URL(request.url);
    assert.equal(searchParams.get("tailLines"), "2");
    return new Response("2030-01-01T00:00:01.5Z first\n2030-01-01T00:00:02Z second line\n");
  },
  async ({ client }) => {
    const lines: string[] = [];
    const since = Date.UTC(2030, 0, 1, 0, 0, 2);
    const query = { namespace: "dev", pod: "web-1", follow: false, tail: 2, since, ...call() };
    for await (const { time, text } of client.podLogs(query)) lines.push(`${time - since} ${text}`);
    assert.deepEqual(lines, ["0 second line"]);
  },
);

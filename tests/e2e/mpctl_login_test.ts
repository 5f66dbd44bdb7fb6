/** Signing in with mpctl, from its user's view, against scripted servers. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { route, serveGrpc } from "@mpc/api";
import { DiagnosticsService } from "@mpc/proto";
import { bundleMpctl } from "../../cli/build/bundle.ts";
import { loopbackCertificate } from "../servers/certificate.ts";
import { type Result, runCommand, type RunOptions } from "../servers/run_command.ts";
import { CERTIFICATE, type ScriptedApi, startScriptedApi } from "../servers/scripted_api.ts";
import { type Poll, type ScriptedIssuer, startScriptedIssuer } from "../servers/scripted_issuer.ts";
import { mpctlCommand, type Runtime } from "./mpctl_world.ts";

interface World {
  /** Runs mpctl with the scripted server, and checks that it prints no secret. */
  readonly mpctl: (args: readonly string[], options?: RunOptions) => Promise<Result>;
  /** Starts mpctl. */
  readonly start: (args: readonly string[]) => Deno.ChildProcess;
  readonly api: ScriptedApi;
  readonly issuer: ScriptedIssuer;
  readonly folder: string;
  /** Where sign-ins are kept. */
  readonly file: string;
}

/** Tokens that the server accepts besides those of the issuer. */
const STATIC = { "static-secret-1": "token:ci", "static-secret-2": "token:other" };

async function withWorld(
  runtime: Runtime,
  bundle: string,
  use: (world: World) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "mpc-login-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const issuer = stack.use(await startScriptedIssuer());
  const api = stack.use(
    await startScriptedApi({
      principalOf: (token) =>
        new Map(Object.entries(STATIC)).get(token) ??
          (issuer.secrets.includes(token) ? "user:ann@example.com" : undefined),
      signIn: {
        issuers: [{
          name: "company",
          issuer: issuer.url,
          clientId: "mpctl",
          scopes: ["openid", "offline_access"],
        }],
        credentialsRequired: true,
      },
    }),
  );
  const env = {
    NO_COLOR: "1",
    MPC_CONFIG: join(folder, "config.yaml"),
    MPC_SERVER: api.url,
    MPC_TOKEN: "",
  };
  const mpctl: World["mpctl"] = async (args, options = {}) => {
    const result = await runCommand([...mpctlCommand(bundle, runtime), ...args], {
      ...options,
      env: { ...env, ...options.env },
    });
    for (const secret of [...issuer.secrets, ...Object.keys(STATIC), "device-code"]) {
      assert.ok(!`${result.out}${result.err}`.includes(secret), `${args}: prints '${secret}'`);
    }
    return result;
  };
  const start: World["start"] = (args) => {
    const [command = "", ...rest] = [...mpctlCommand(bundle, runtime), ...args];
    return new Deno.Command(command, { args: rest, env, stdout: "null", stderr: "piped" }).spawn();
  };
  await use({ mpctl, start, api, issuer, folder, file: join(folder, "credentials.json") });
}

const succeeded = ({ code, out, err }: Result): void => assert.equal(code, 0, `${out}${err}`);

const CASES: Readonly<Record<string, (world: World) => Promise<void>>> = {
  async "the device flow signs in, and logout revokes"({ mpctl, api, issuer, file, folder }) {
    const before = await mpctl(["whoami"]);
    assert.deepEqual([before.code, before.err], [
      1,
      "Error: Cannot take the call: it has no valid credentials\n" +
      `Sign in at ${api.url} with 'mpctl login'\n`,
    ]);
    issuer.polls.push("authorization_pending");
    const login = await mpctl(["login"]);
    assert.deepEqual([login.code, login.out, login.err], [
      0,
      "",
      `Open ${issuer.url}/activate in a browser, and enter the code WDJB-MJHT\n` +
      "Waiting for 5m; ctrl-C to stop\n" +
      `Signed in at ${api.url}/ as user:ann@example.com\n`,
    ]);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ["credentials.json"], "no lock and no half file");
    const { out } = await mpctl(["whoami"]);
    assert.match(out, /^Principal {10}user:ann@example\.com\n/);
    succeeded(await mpctl(["env", "list"]));
    assert.deepEqual(new Set(api.tokens), new Set([undefined, issuer.secrets[0]]));
    const last = issuer.refreshToken;
    const logout = await mpctl(["logout"]);
    assert.deepEqual([logout.code, logout.err], [0, `Signed out of ${api.url}/\n`]);
    assert.deepEqual(issuer.revoked, [last]);
    assert.ok(!(await readFile(file, "utf8")).includes(last));
    assert.equal((await mpctl(["whoami"])).code, 1);
    const again = await mpctl(["logout"]);
    assert.deepEqual([again.code, again.err], [0, `Not signed in at ${api.url}/\n`]);
  },
  async "an issuer that refuses leaves nothing behind"({ mpctl, issuer, folder }) {
    issuer.polls.push("access_denied");
    const denied = await mpctl(["login"]);
    assert.equal(denied.code, 1);
    assert.match(denied.err, /\nError: Cannot sign in at \S+: access was denied there\nRun 'mpctl/);
    issuer.polls.push("expired_token");
    assert.equal((await mpctl(["login"])).code, 5);
    const typo = await mpctl(["login", "--issuer", "compny"]);
    assert.deepEqual([typo.code, typo.err], [
      2,
      "Error: Cannot sign in at issuer 'compny': must be one of company\n" +
      "Did you mean 'company'?\n",
    ]);
    assert.deepEqual(await readdir(folder), []);
  },
  async "runs at the same time renew a sign-in once"({ mpctl, issuer, file }) {
    succeeded(await mpctl(["login"]));
    const kept = JSON.parse(await readFile(file, "utf8"));
    kept.logins[0].renewAt = kept.logins[0].expiresAt = 1;
    await writeFile(file, JSON.stringify(kept));
    // The refresh token works once.
    const runs = await Promise.all(Array.from({ length: 5 }, () => mpctl(["whoami"])));
    for (const run of runs) succeeded(run);
    assert.deepEqual([issuer.refreshes, issuer.reuses], [1, 0]);
    succeeded(await mpctl(["env", "list"]));
    assert.equal(issuer.refreshes, 1, "the renewed token is kept");
  },
  async "a token that the server refuses is renewed, and a sign-in that is over says so"(
    { mpctl, issuer, file, api },
  ) {
    succeeded(await mpctl(["login"]));
    const kept = JSON.parse(await readFile(file, "utf8"));
    kept.logins[0].token = "refused-token";
    await writeFile(file, JSON.stringify(kept));
    succeeded(await mpctl(["whoami"]));
    assert.deepEqual([issuer.refreshes, api.tokens.at(-2)], [1, "refused-token"]);
    issuer.away = true;
    succeeded(await mpctl(["whoami"]));
    kept.logins[0].renewAt = kept.logins[0].expiresAt = 1;
    await writeFile(file, JSON.stringify(kept));
    const away = await mpctl(["whoami"]);
    assert.deepEqual([away.code, away.err], [
      1,
      `Error: Cannot sign in at ${issuer.url}: it answers with HTTP 503\n`,
    ]);
    issuer.away = false;
    // The refresh token in this file has been used.
    const over = await mpctl(["whoami"]);
    assert.deepEqual([over.code, over.err], [
      1,
      `Error: The sign-in at ${api.url}/ is over: ${issuer.url} does not renew it ` +
      "(invalid_grant)\n" +
      `Sign in again with 'mpctl login --server ${api.url}/'\n`,
    ]);
  },
  async "a token comes from standard input, a file or MPC_TOKEN"({ mpctl, api, folder, file }) {
    const [first, second] = Object.keys(STATIC) as [string, string];
    const refused = await mpctl(["login", "--with-token"], { stdin: "unknown-secret" });
    assert.equal(refused.code, 1);
    assert.ok(!refused.err.includes("unknown-secret"));
    assert.deepEqual(await readdir(folder), [], "what the server refuses is not kept");
    const login = await mpctl(["login", "--with-token"], { stdin: `${first}\n` });
    assert.deepEqual([login.code, login.err], [0, `Signed in at ${api.url}/ as token:ci\n`]);
    const principal = ["whoami", "-o", "jsonpath=$.principal"];
    assert.equal((await mpctl(principal)).out, "token:ci\n");
    const env = { MPC_TOKEN: second };
    assert.equal((await mpctl(principal, { env })).out, "token:other\n", "the variable wins");
    const wrong = await mpctl(principal, { env: { MPC_TOKEN: "unknown-secret" } });
    assert.deepEqual([wrong.code, wrong.err], [
      1,
      "Error: Cannot take the call: it has no valid credentials\n" +
      "The token is that of MPC_TOKEN: replace it, or unset it\n",
    ]);
    const bad = await mpctl(principal, { env: { MPC_TOKEN: "a secret\nwith lines" } });
    assert.deepEqual([bad.code, bad.err], [
      1,
      "Error: Cannot use the token in MPC_TOKEN: it has characters or a length that no token has\n",
    ]);
    const token = join(folder, "token.txt");
    await writeFile(token, first);
    succeeded(await mpctl(["login", "--token-file", token]));
    assert.ok(!(await readFile(file, "utf8")).includes(first), "the file is read at each run");
    await writeFile(token, second);
    assert.equal((await mpctl(principal)).out, "token:other\n");
    await rm(token);
    assert.match((await mpctl(principal)).err, /Cannot use the token in '\S+': there is no such/);
  },
  async "a command gives tokens when they are needed"({ mpctl, folder, api }) {
    const [first] = Object.keys(STATIC) as [string];
    const log = join(folder, "log");
    const plain = `echo "$MPC_SERVER" >> ${log}; echo ${first}`;
    // What the user types is shown in errors, so the secret comes from a file.
    const secret = join(folder, "secret");
    await writeFile(secret, plain);
    succeeded(await mpctl(["login", "--token-command", `sh ${secret}`]));
    succeeded(await mpctl(["env", "list"]));
    assert.equal(await readFile(log, "utf8"), `${api.url}/\n`.repeat(2), "once a run");
    const credential = (status: object) => JSON.stringify({ kind: "ExecCredential", status });
    const answers: readonly (readonly [string, string])[] = [
      [`echo '${credential({ token: first, expirationTimestamp: "2999-01-01T00:00:00Z" })}'`, ""],
      ["echo '{'", "its output begins like JSON, and is not"],
      [`echo '${credential({})}'`, "its JSON has no 'status.token'"],
      [
        `echo '${credential({ token: first, expirationTimestamp: "soon" })}'`,
        "its 'status.expirationTimestamp' is no time",
      ],
      ["exit 3", "it ended with code 3"],
    ];
    for (const [script, problem] of answers) {
      await writeFile(secret, script);
      const { err } = await mpctl(["whoami"]);
      assert.equal(err, problem && `Error: Cannot get a token by 'sh ${secret}': ${problem}\n`);
    }
  },
  async "a sign-in belongs to its profile and its server"({ mpctl, api }) {
    const [first, second] = Object.keys(STATIC) as [string, string];
    await mpctl(["config", "set", "server", api.url, "--profile", "a"]);
    await mpctl(["config", "set", "server", api.url, "--profile", "b"]);
    succeeded(await mpctl(["login", "--with-token", "--profile", "a"], { stdin: first }));
    const missing = await mpctl(["whoami", "--profile", "b"]);
    assert.match(missing.err, /with 'mpctl login --profile b'\n$/);
    succeeded(await mpctl(["login", "--with-token", "--profile", "b"], { stdin: second }));
    const principal = async (...args: readonly string[]) =>
      (await mpctl(["whoami", "-o", "jsonpath=$.principal", ...args])).out;
    assert.equal(await principal("--profile", "a"), "token:ci\n");
    assert.equal(await principal("--profile", "b"), "token:other\n");
    await using other = await startScriptedApi({ principalOf: () => "user:eve" });
    assert.equal((await mpctl(["whoami", "--profile", "a", "--server", other.url])).code, 1);
    assert.deepEqual(other.tokens, [undefined], "the token goes to no other server");
  },
  async "a file that others may read, and one of somebody else, are refused"({ mpctl, file }) {
    const [first] = Object.keys(STATIC) as [string];
    succeeded(await mpctl(["login", "--with-token"], { stdin: first }));
    await chmod(file, 0o640);
    for (const args of [["whoami"], ["env", "list"], ["logout"]]) {
      const { code, err } = await mpctl(args);
      assert.deepEqual([code, err], [
        1,
        `Error: Cannot use '${file}': other users may read or write it\n` +
        `Run 'chmod 600 ${file}'; if others may have read it, sign in again\n`,
      ]);
    }
    await chmod(file, 0o600);
    for (const text of [first, `{"logins":[{"token":"${first}"}]}`, "[]"]) {
      await writeFile(file, text);
      assert.match((await mpctl(["whoami"])).err, /^Error: Cannot use '\S+': it is not a file of/);
    }
  },
  async "without a home nothing is written to the current folder"({ mpctl }) {
    const [first] = Object.keys(STATIC) as [string];
    const env = { MPC_CONFIG: "", XDG_CONFIG_HOME: "", HOME: "" };
    const { code, err } = await mpctl(["login", "--with-token"], { env, stdin: first });
    assert.deepEqual([code, err], [
      1,
      "Error: Cannot keep a sign-in: HOME is not set, so there is no place for the file\n" +
      "Set HOME or MPC_CONFIG, or put a token into MPC_TOKEN\n",
    ]);
    succeeded(await mpctl(["whoami"], { env: { ...env, MPC_TOKEN: first } }));
  },
  async "a lock whose holder was killed is broken"({ mpctl, folder, file }) {
    await writeFile(`${file}.lock`, "nobody");
    await utimes(`${file}.lock`, 1, 1);
    const [first] = Object.keys(STATIC) as [string];
    succeeded(await mpctl(["login", "--with-token"], { stdin: first }));
    assert.deepEqual(await readdir(folder), ["credentials.json"]);
  },
  async "ctrl-C ends the device flow, and nothing is kept"({ issuer, start, folder }) {
    issuer.polls.push(...Array<Poll>(300).fill("authorization_pending"));
    const child = start(["login"]);
    let printed = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      printed += text;
      if (printed.includes("ctrl-C to stop")) child.kill("SIGINT");
    }
    const { signal, code } = await child.status;
    assert.ok(signal === "SIGINT" || code === 130, `${signal} ${code}`);
    assert.match(printed, /^Open .*\nWaiting for 5m; ctrl-C to stop\n$/);
    assert.deepEqual(await readdir(folder), []);
  },
  async "TLS by an authority and a client certificate of files"({ mpctl, folder }) {
    const pems = await loopbackCertificate();
    const [ca, key] = [join(folder, "ca.pem"), join(folder, "key.pem")];
    await writeFile(ca, pems.cert);
    await writeFile(key, pems.key);
    await using issuer = await startScriptedIssuer(pems);
    await using api = await startScriptedApi({
      tls: pems,
      principalOf: (token) =>
        token === CERTIFICATE ? "certificate:localhost" : `user:${issuer.secrets.indexOf(token)}`,
      signIn: { issuers: [{ name: "company", issuer: issuer.url, clientId: "mpctl" }] },
    });
    const MPC_SERVER = api.url;
    const principal = ["whoami", "-o", "jsonpath=$.principal"];
    for (const args of [principal, ["env", "list"]]) {
      const { code, err } = await mpctl(args, { env: { MPC_SERVER } });
      assert.equal(code, 1);
      assert.match(err, /^Error: Cannot reach the server at \S+: its certificate is not to be tru/);
      assert.match(err, /\nName the authority that signed it with --ca-file/);
    }
    const env = { MPC_SERVER, MPC_CA_FILE: ca };
    succeeded(await mpctl(["login"], { env }));
    assert.equal((await mpctl(principal, { env })).out, "user:0\n");
    succeeded(await mpctl(["env", "list"], { env }));
    succeeded(await mpctl(["logout"], { env }));
    assert.equal(issuer.revoked.length, 1);
    const shown = ["--client-certificate", ca, "--client-key", key];
    const { out } = await mpctl([...principal, ...shown], { env });
    assert.equal(out, "certificate:localhost\n");
    await mpctl(["config", "set", "server", MPC_SERVER, "--profile", "tls"]);
    for (const [name, path] of [["ca-file", ca], ["client-certificate", ca], ["client-key", key]]) {
      succeeded(await mpctl(["config", "set", name!, path!, "--profile", "tls"]));
    }
    const byProfile = await mpctl(["--profile", "tls", ...principal], { env: { MPC_SERVER: "" } });
    assert.equal(byProfile.out, "certificate:localhost\n", byProfile.err);
  },
  async "TLS by gRPC trusts the authority of a file, and no other"({ mpctl, folder }) {
    const tls = await loopbackCertificate();
    const ca = join(folder, "ca.pem");
    await writeFile(ca, tls.cert);
    const routes = [
      route(DiagnosticsService, {
        diagnose: () => ({}),
        sweepObjects: () => ({}),
        claimCluster: () => ({}),
        getActivity: () => ({}),
        getServerInfo: () => ({ version: "by-tls" }),
      }),
    ];
    const door = await serveGrpc({
      routes,
      listen: { host: "127.0.0.1", port: 0 },
      tls: () => ({ ...tls, clients: null }),
    });
    try {
      const args = ["version", "--all", "--server", `grpcs://localhost:${door.address.port}`];
      const trusted = await mpctl([...args, "--ca-file", ca]);
      assert.match(trusted.out, /^server by-tls /m, trusted.err);
      const { code, err } = await mpctl(args);
      assert.equal(code, 1);
      assert.match(
        err,
        /its certificate is not to be trusted .*\nName the authority that signed it/,
      );
    } finally {
      await door.close(0);
    }
  },
  async "wrong files for TLS are refused before a call"({ mpctl, api, folder }) {
    const path = join(folder, "x.pem");
    await writeFile(path, "no PEM");
    const refusals: readonly (readonly [readonly string[], string])[] = [
      [
        ["--ca-file", path],
        `Cannot use '${path}' of flag --ca-file: must be PEM with a CERTIFICATE`,
      ],
      [["--ca-file", `${path}x`], `Cannot use '${path}x' of flag --ca-file: there is no such file`],
      [["--client-key", path], "Cannot use --client-key alone: --client-certificate is missing"],
    ];
    for (const [flags, message] of refusals) {
      const { code, err } = await mpctl(["env", "list", ...flags]);
      assert.deepEqual([code, err], [2, `Error: ${message}\n`]);
    }
    assert.deepEqual(api.tokens, []);
  },
  async "a token never crosses a network unencrypted"({ mpctl }) {
    const [MPC_TOKEN] = Object.keys(STATIC) as [string];
    for (const server of ["http://192.0.2.1:8080", "grpc://192.0.2.1:50051"]) {
      for (const args of [["whoami"], ["env", "list"]]) {
        const { code, err } = await mpctl([...args, "--server", server], { env: { MPC_TOKEN } });
        assert.equal(code, 1);
        assert.match(err, /^Error: Cannot send a token to \S+: the connection is not encrypted/);
      }
      const login = await mpctl(["login", "--server", server]);
      assert.equal(login.code, 2);
      assert.match(
        login.err,
        /^Error: Cannot sign in at \S+: the connection is not encrypted\nUse h/,
      );
    }
  },
};

/** The cases that do not depend on the runtime. */
const BY_DENO_ONLY: readonly string[] = [
  "an issuer that refuses leaves nothing behind",
  "a token that the server refuses is renewed, and a sign-in that is over says so",
  "a sign-in belongs to its profile and its server",
  "wrong files for TLS are refused before a call",
  "a token never crosses a network unencrypted",
];

for (const runtime of ["deno", "node"] as const) {
  Deno.test({
    name: `mpctl signs in by ${runtime}`,
    // Processes may leave pending operations.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn(t) {
      const folder = await mkdtemp(join(tmpdir(), "mpc-bundle-"));
      try {
        const bundle = join(folder, "mpctl.js");
        await bundleMpctl(bundle);
        for (const [title, check] of Object.entries(CASES)) {
          if (runtime === "node" && BY_DENO_ONLY.includes(title)) continue;
          await t.step(title, () => withWorld(runtime, bundle, check));
        }
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  });
}

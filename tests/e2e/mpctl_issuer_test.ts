/** mpctl, the platform and a real OpenID Connect issuer: from signing in to a revoked token. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AUDIENCE, CLIENT_ID, type OidcIssuer, startOidcIssuer } from "../servers/oidc_issuer.ts";
import { mpctlCommand, type Runtime, withMpctl, type World } from "./mpctl_world.ts";

const accessFile = (issuer: string): string => `
authentication:
  oidc:
    - name: company
      issuer: ${issuer}
      clientId: ${CLIENT_ID}
      audience: ${AUDIENCE}
      usernameClaim: email
  tokens: true
bindings:
  - { role: admin, principals: ["user:ann@example.com"] }
  - { role: viewer, principals: ["user:bob@example.com", "token:ci"] }
`;

/** Runs `mpctl login`, and confirms in the place of the user's browser. */
async function signIn(world: World, issuer: OidcIssuer, user: string, runtime: Runtime) {
  const [command = "", ...args] = [
    ...mpctlCommand(world.bundle, runtime),
    ...["login", "--server", world.web],
  ];
  const child = new Deno.Command(command, {
    args,
    env: { NO_COLOR: "1", MPC_CONFIG: join(world.directory, "config.yaml") },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let printed = "";
  let approved: Promise<void> | undefined;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    printed += text;
    const [, uri] = /^or open (\S+), and compare/m.exec(printed) ?? [];
    if (uri !== undefined) approved ??= issuer.approveDevice(uri, user);
  }
  await approved;
  const { code } = await child.status;
  assert.equal(code, 0, printed);
  return printed;
}

const principal = ["whoami", "-o", "jsonpath=$.principal"];

async function check(world: World, issuer: OidcIssuer, runtime: Runtime): Promise<void> {
  const { mpctl, run, directory, web, grpc } = world;
  const before = await mpctl("env", "list");
  assert.equal(before.code, 1);
  assert.match(before.err, /\nSign in at http:\S+ with 'mpctl login --server http:\S+'\n$/);

  const printed = await signIn(world, issuer, "ann", runtime);
  assert.match(printed, /\nSigned in at \S+ as user:ann@example\.com\n$/);
  assert.equal((await mpctl(...principal)).out, "user:ann@example.com\n");
  const who = await mpctl("whoami");
  assert.match(
    who.out,
    /^Authenticated by {3}OpenID Connect\nExpires in {9}\d+m\S*\nRoles +admin$/m,
  );
  const created = await mpctl("env", "create", "dev");
  assert.equal(created.code, 0, created.err);

  const token = await mpctl("token", "create", "ci", "--ttl", "1h", "--description", "of CI");
  assert.equal(token.code, 0, token.err);
  assert.match(token.err, /^Token 'ci' is created for token:ci, and expires in (1h|59m\d+s); its/);
  const listed = await mpctl("token", "list");
  assert.match(listed.out, /^ci +- +\S+ +- +\S+ +of CI$/m);
  const env = { MPC_TOKEN: token.out.trim() };
  assert.ok(!listed.out.includes(env.MPC_TOKEN));
  for (const server of [web, grpc]) {
    const asToken = await run([...principal, "--server", server], { env });
    assert.equal(asToken.out, "token:ci\n", asToken.err);
    const list = await run(["env", "list", "-o", "name", "--server", server], { env });
    assert.equal(list.out, "environments/dev\n", list.err);
  }
  const denied = await run(["env", "create", "other", "--server", web], { env });
  assert.equal(denied.code, 1);
  assert.match(denied.err, /environments\.create/, "the refusal names the permission");

  assert.equal((await mpctl("token", "revoke", "ci")).code, 0);
  const revoked = await run(["env", "list", "--server", web], { env });
  assert.equal(revoked.code, 1);
  assert.ok(!revoked.err.includes(env.MPC_TOKEN));

  // The access token is over: the refresh token brings the next one, and is rotated.
  const file = join(directory, "credentials.json");
  const kept = JSON.parse(await readFile(file, "utf8"));
  const [{ token: accessToken, refreshToken }] = kept.logins;
  kept.logins[0].renewAt = kept.logins[0].expiresAt = 1;
  await writeFile(file, JSON.stringify(kept));
  const runs = await Promise.all([1, 2, 3].map(() => mpctl(...principal)));
  assert.deepEqual(runs.map(({ out }) => out), Array(3).fill("user:ann@example.com\n"));
  const [renewed] = JSON.parse(await readFile(file, "utf8")).logins;
  assert.notEqual(renewed.token, accessToken);
  assert.notEqual(renewed.refreshToken, refreshToken, "this issuer rotates refresh tokens");

  const out = await mpctl("logout");
  assert.deepEqual([out.code, out.err], [0, `Signed out of ${web}/\n`]);
  await writeFile(file, JSON.stringify({ logins: [{ ...renewed, renewAt: 1, expiresAt: 1 }] }));
  const over = await mpctl("env", "list");
  assert.match(over.err, /^Error: The sign-in at \S+ is over: \S+ does not renew it \(invalid_gr/);
}

for (const runtime of ["deno", "node"] as const) {
  Deno.test({
    name: `mpctl signs in at a real issuer by ${runtime}`,
    // Processes may leave pending operations.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      await using stack = new AsyncDisposableStack();
      const folder = await mkdtemp(join(tmpdir(), "mpc-access-"));
      stack.defer(() => rm(folder, { recursive: true }));
      const issuer = stack.use(await startOidcIssuer());
      const file = join(folder, "access.yaml");
      await writeFile(file, accessFile(issuer.issuer));
      await withMpctl((world) => check(world, issuer, runtime), {
        runtime,
        platformArgs: ["--simulated-delays=none", "--access-file", file],
      });
    },
  });
}

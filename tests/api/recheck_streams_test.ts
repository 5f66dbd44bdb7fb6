/** Streams end when their caller could not begin them any more, at both doors. */
import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Code, type ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { type AllInOne, startAllInOne } from "@mpc/api";
import { connect, watchEvents } from "@mpc/client";
import {
  AuditService,
  EnvironmentService,
  ErrorInfoSchema,
  EventService,
  TokenService,
} from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { AUDIENCE, type OidcIssuer, startOidcIssuer } from "../servers/oidc_issuer.ts";
import { withFolder } from "../servers/with_folder.ts";
import { failure } from "./doors.ts";

interface World {
  readonly oidc: OidcIssuer;
  readonly platform: AllInOne;
  readonly transports: Readonly<Record<string, Transport>>;
  /** Gives everybody but ann these roles, and no others. */
  readonly bind: (...roles: readonly string[]) => Promise<void>;
  /** Creates an environment, as ann. */
  readonly change: (id: string) => Promise<void>;
}

function test(title: string, use: (world: World) => Promise<void>): void {
  Deno.test({
    name: `streams: ${title}`,
    ...NO_SANITIZERS,
    fn: () =>
      withFolder(async (folder) => {
        await using oidc = await startOidcIssuer();
        const accessFile = join(folder, "access.yaml");
        const bind: World["bind"] = async (...roles) => {
          const company = { name: "company", issuer: oidc.issuer, clientId: "mpctl" };
          const trust = { audience: AUDIENCE, usernameClaim: "email", skewSeconds: 0 };
          const text = JSON.stringify({
            authentication: { tokens: true, oidc: [{ ...company, ...trust }] },
            bindings: [
              { role: "admin", principals: ["user:ann@example.com"] },
              ...roles.map((role) => ({ role, principals: ["*"] })),
            ],
          });
          await writeFile(`${accessFile}.new`, text);
          await rename(`${accessFile}.new`, accessFile);
        };
        await bind("viewer", "auditor");
        const platform = await startAllInOne({ ...QUIET_CONFIG, accessFile });
        const { grpcAddress, webAddress } = platform;
        const baseUrl = `http://127.0.0.1:${webAddress.port}`;
        const grpc = createGrpcTransport(new URL(`grpc://127.0.0.1:${grpcAddress.port}`));
        const transports = {
          "gRPC": grpc,
          "gRPC-Web": createGrpcWebTransport({ baseUrl }),
          "Connect": createConnectTransport({ baseUrl }),
        };
        const environments = createClient(EnvironmentService, transports.Connect);
        try {
          await use({
            ...{ oidc, platform, transports, bind },
            async change(environmentId) {
              const options = bearing(await oidc.token());
              await environments.createEnvironment({ environmentId, environment: {} }, options);
            },
          });
        } finally {
          grpc.close();
          await platform.close();
        }
      }),
  });
}

const bearing = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** A static token of ann's, by its id. */
async function staticToken({ oidc, transports }: World, tokenId: string): Promise<string> {
  const tokens = createClient(TokenService, transports["Connect"]!);
  return (await tokens.createToken({ tokenId }, bearing(await oidc.token()))).secret;
}

/** Opens idle streams at all doors. @returns how each of them ends, once all of them have begun */
async function openStreams(
  { transports, change }: World,
  token: string,
): Promise<readonly Promise<ConnectError>[]> {
  const opened = Object.values(transports).flatMap((transport) => {
    const events = createClient(EventService, transport).watchEvents({}, bearing(token));
    const audit = createClient(AuditService, transport).watchAuditRecords({}, bearing(token));
    return [events, audit].map((stream) => {
      const begun = Promise.withResolvers<void>();
      const ended = failure((async () => {
        for await (const _ of stream) begun.resolve();
      })());
      return { begun: Promise.race([begun.promise, ended]), ended };
    });
  });
  await change("first");
  await Promise.all(opened.map(({ begun }) => begun));
  return opened.map(({ ended }) => ended);
}

const said = (error: ConnectError): string =>
  `${Code[error.code]} ${error.findDetails(ErrorInfoSchema)[0]?.reason}`;

async function allEnd(streams: readonly Promise<ConnectError>[], expected: string): Promise<void> {
  assert.deepEqual((await Promise.all(streams)).map(said), streams.map(() => expected));
}

test("the streams of a revoked token end, those of others go on", async (world) => {
  const { oidc, transports, change } = world;
  const ci = await openStreams(world, await staticToken(world, "ci"));
  const stop = new AbortController();
  const others = createClient(EventService, transports["gRPC"]!)
    .watchEvents({ skipExisting: true }, { ...bearing(await oidc.token()), signal: stop.signal });
  const tokens = createClient(TokenService, transports["Connect"]!);
  await tokens.revokeToken({ name: "tokens/ci" }, bearing(await oidc.token()));
  await allEnd(ci, "Unauthenticated CREDENTIALS_INVALID");
  await change("second");
  for await (const { event } of others) if (event?.target === "environments/second") break;
  stop.abort();
});

test("the streams of a token end when it expires", async (world) => {
  const exp = Math.floor(Date.now() / 1_000) + 3;
  const streams = await openStreams(world, await world.oidc.token({ exp }));
  await allEnd(streams, "Unauthenticated CREDENTIALS_EXPIRED");
});

test("idle streams end when the role is taken away", async (world) => {
  const streams = await openStreams(world, await staticToken(world, "ci"));
  await world.bind();
  await allEnd(streams, "PermissionDenied PERMISSION_MISSING");
});

test("a client goes on with another token, without missing an event", async (world) => {
  const { oidc, platform, change } = world;
  const lasting = await oidc.token();
  for (
    const [protocol, { port }] of [
      ["grpc:", platform.grpcAddress],
      ["http:", platform.webAddress],
    ] as const
  ) {
    const server = new URL(`${protocol}//127.0.0.1:${port}`);
    const exp = Math.floor(Date.now() / 1_000) + 3;
    const asked: (string | undefined)[] = [];
    const first = await oidc.token({ exp });
    let token = first;
    const connection = await connect({
      server,
      credentials: (refused) => {
        asked.push(refused);
        if (refused !== undefined) token = lasting;
        return Promise.resolve(token);
      },
    });
    const id = `after-${protocol.replace(":", "")}`;
    let isSynced = false;
    const stop = new AbortController();
    const watch = watchEvents(connection, {}, { signal: stop.signal });
    for await (const { synced, event, reset } of watch) {
      assert.equal(reset, undefined);
      if (synced && !isSynced) {
        isSynced = true;
        // The token has expired by then, and the stream has ended.
        void expiredAndEnded(asked).then(() => change(id));
      }
      if (event?.target === `environments/${id}`) break;
    }
    stop.abort();
    assert.equal(token, lasting);
    connection.close();
  }

  /** Waits until another token was asked for. */
  async function expiredAndEnded(asked: readonly (string | undefined)[]): Promise<void> {
    while (!asked.some((refused) => refused !== undefined)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
});

test("a client without another token says so", async (world) => {
  const { oidc, platform } = world;
  const exp = Math.floor(Date.now() / 1_000) + 3;
  const token = await oidc.token({ exp });
  const connection = await connect({
    server: new URL(`http://127.0.0.1:${platform.webAddress.port}`),
    credentials: () => Promise.resolve(token),
  });
  const ended = await failure((async () => {
    for await (const _ of watchEvents(connection));
  })());
  assert.equal(said(ended), "Unauthenticated CREDENTIALS_EXPIRED");
  connection.close();
});

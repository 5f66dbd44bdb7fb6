import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { EnvironmentService, OperationService, TokenService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { AUDIENCE, startOidcIssuer } from "../servers/oidc_issuer.ts";
import { startPlatform } from "../servers/platform_process.ts";
import type { BenchRow } from "./bench_row.ts";
import { rates } from "./measure.ts";

const LOAD = { ms: 1_500, inFlight: 16, rounds: 5 };

/** What authentication and authorization add to `Get`, with tokens that the server has seen before. */
export async function run(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  await using oidc = await startOidcIssuer();
  const accessFile = join(folder, "access.yaml");
  await writeFile(
    accessFile,
    JSON.stringify({
      authentication: {
        tokens: true,
        oidc: [{ name: "company", issuer: oidc.issuer, audience: AUDIENCE }],
      },
      bindings: [{ role: "admin", principals: ["user:ann", "token:bench"] }],
    }),
  );
  const start = (name: string, ...flags: readonly string[]) =>
    startPlatform([
      "--data-dir",
      join(folder, name),
      "--simulated-delays=none",
      ...flags,
    ]);
  const open = await start("open");
  const guarded = await start("guarded", "--access-file", accessFile);
  const transports = [open, guarded].map(({ grpc }) => createGrpcTransport(grpc));
  const [bare, known] = transports;
  try {
    const bearer = `Bearer ${await oidc.token({ exp: Math.floor(Date.now() / 1_000) + 3_600 })}`;
    const name = "environments/bench";
    for (const transport of [bare!, known!]) {
      const options = { headers: { authorization: bearer } };
      const operation = await createClient(EnvironmentService, transport)
        .createEnvironment({ environmentId: "bench", environment: {} }, options);
      await createClient(OperationService, transport)
        .waitOperation({ name: operation.name }, options);
    }
    const { secret } = await createClient(TokenService, known!)
      .createToken({ tokenId: "bench" }, { headers: { authorization: bearer } });
    const get = (transport: typeof bare, headers: Record<string, string>) => {
      const client = createClient(EnvironmentService, transport!);
      return () => client.getEnvironment({ name }, { headers });
    };
    const found = await rates({
      none: get(bare, {}),
      signed: get(known, { authorization: bearer }),
      static: get(known, { authorization: `Bearer ${secret}` }),
    }, LOAD);
    return (["signed", "static"] as const).map((kind) => ({
      name: `Get by gRPC with a known ${kind} token`,
      value: found[kind]!,
      unit: "calls/s",
      reference: "without an access file",
      ratio: found["none"]! / found[kind]!,
      target: { max: 1.1 },
      note: "the ratio is of the times",
    }));
  } finally {
    for (const transport of transports) transport.close();
    await Promise.all([open.stop(), guarded.stop()]);
    await rm(folder, { recursive: true });
  }
}

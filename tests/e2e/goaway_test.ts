import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { DiagnosticsService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { goawayBurst, type GoawayTarget } from "../fuzz/goaway_burst.ts";
import { startDeno } from "../servers/subprocess.ts";

const BURSTS = 20;
const CONNECTIONS = 200;
const PATH = "/mpc.v1.DiagnosticsService/GetServerInfo";

async function answers({ port, cert }: GoawayTarget): Promise<void> {
  const url = new URL(`${cert ? "grpcs" : "grpc"}://localhost:${port}`);
  const transport = createGrpcTransport(url, cert ? { tls: { ca: cert } } : {});
  try {
    const { version } = await createClient(DiagnosticsService, transport).getServerInfo({});
    assert.equal(version, "test");
  } finally {
    transport.close();
  }
}

Deno.test({
  name: "the gRPC door survives bursts of connections that end with GOAWAY, plain and with TLS",
  // Connections that grpc-js keeps after a client is closed do not matter here.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const script = new URL("../servers/door_server.ts", import.meta.url).pathname;
    const server = startDeno(["run", "--allow-all", script]);
    try {
      const { plain, tls, cert } = await server.line((line) =>
        line.startsWith("{") ? JSON.parse(line) : undefined
      );
      for (const target of [{ port: plain }, { port: tls, cert }]) {
        await t.step(target.cert ? "by TLS" : "plain", async () => {
          await answers(target);
          for (let burst = 0; burst < BURSTS; burst++) {
            const answered = await goawayBurst(target, PATH, CONNECTIONS);
            assert.equal(answered, CONNECTIONS, "each connection got something before it ended");
          }
          // Nothing restarts the process, so if it answers, it has survived.
          await answers(target);
        });
      }
    } finally {
      server.kill("SIGKILL");
      await server.status;
    }
  },
});

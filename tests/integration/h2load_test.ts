/** The burst that crashes an unguarded server, from a foreign client: nghttp2's h2load. */
import assert from "node:assert/strict";
import { startDeno } from "../servers/subprocess.ts";

const BURSTS = 20;

Deno.test("the gRPC door survives h2load's bursts, plain and with TLS, in the same process", async (t) => {
  const script = new URL("../servers/door_server.ts", import.meta.url).pathname;
  const server = startDeno(["run", "--allow-all", script]);
  try {
    const { pid, plain, tls } = await server.line((line) =>
      line.startsWith("{") ? JSON.parse(line) : undefined
    );
    for (const origin of [`http://127.0.0.1:${plain}`, `https://127.0.0.1:${tls}`]) {
      await t.step(origin.split(":")[0]!, async () => {
        for (let burst = 0; burst < BURSTS; burst++) {
          const { code, stdout, stderr } = await new Deno.Command("h2load", {
            args: [
              ...["-n", "200", "-c", "200", "-m", "1"],
              ...["-H", "content-type: application/grpc", "-H", "te: trailers"],
              `${origin}/mpc.v1.DiagnosticsService/GetServerInfo`,
            ],
            stdout: "piped",
            stderr: "piped",
          }).output();
          const text = new TextDecoder();
          assert.equal(code, 0, text.decode(stderr));
          assert.match(text.decode(stdout), /200 done/, "every connection was answered");
        }
        const alive = await Deno.stat(`/proc/${pid}`);
        assert.ok(alive.isDirectory, "it is still the same process");
      });
    }
  } finally {
    server.kill("SIGKILL");
    await server.status;
  }
});

/** mpctl with servers that are down, are something else, hang, or go away. */
import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ERROR_DOMAIN } from "@mpc/domain";
import { ErrorInfoSchema, OperationSchema, OperationState, StatusSchema } from "@mpc/proto";
import { enveloped } from "../../api/web/envelope.ts";
import { type Cases, testMpctl } from "./mpctl_world.ts";

async function withServer(server: Server, use: (address: string) => Promise<void>): Promise<void> {
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const CASES: Cases = [
  ["a server that is down is reported", async ({ mpctl }) => {
    const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = free.addr as Deno.NetAddr;
    free.close();
    for (const server of [`http://127.0.0.1:${port}`, `grpc://127.0.0.1:${port}`]) {
      for (const args of [["env", "list"], ["env", "get", "dev", "--watch"], ["event", "watch"]]) {
        const start = performance.now();
        const { code, err } = await mpctl(...args, "--server", server);
        assert.equal(code, 1);
        assert.match(
          err,
          /Cannot reach the server at \S+127\.0\.0\.1:\d+: connection refused\nStart one with/,
        );
        const took = performance.now() - start;
        assert.ok(took < 10_000, `${args.join(" ")}: reported at once, not after ${took} ms`);
      }
    }
  }],
  ["a web server of another kind is reported", ({ mpctl }) => {
    const server = createHttpServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<html>hello</html>");
    });
    return withServer(server, async (address) => {
      const { code, err } = await mpctl("env", "list", "--server", `http://${address}`);
      assert.equal(code, 1);
      assert.match(err, /its response is not from this API/);
    });
  }],
  ["a server that speaks another protocol is reported", ({ mpctl }) => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("220 mail.example.com ESMTP\r\n");
    });
    return withServer(server, async (address) => {
      for (const scheme of ["http", "grpc"]) {
        const { code, err } = await mpctl("env", "list", "--server", `${scheme}://${address}`);
        assert.equal(code, 1, err);
        assert.match(err, /^Error: Cannot reach the server at /);
        assert.doesNotMatch(err, / at .*:\d+:\d+/, "no stack trace");
      }
    });
  }],
  ["a gRPC address that leads to the web door is reported", async ({ mpctl, web }) => {
    const { code, err } = await mpctl("env", "list", "--server", web.replace("http", "grpc"));
    assert.equal(code, 1);
    assert.match(err, /Cannot serve gRPC at this port, which serves [^;]+; call grpc:\/\/127/);
  }],
  ["a server that hangs is given up with exit code 5", ({ mpctl }) => {
    const server = createServer((socket) => socket.on("error", () => {}));
    return withServer(server, async (address) => {
      for (const args of [["env", "list"], ["event", "watch"], ["op", "list"]]) {
        for (const scheme of ["http", "grpc"]) {
          const patience = ["--request-timeout", "300ms"];
          const { code, err } = await mpctl(
            ...args,
            ...patience,
            "--server",
            `${scheme}://${address}`,
          );
          assert.equal(code, 5, `${args.join(" ")} by ${scheme}: ${err}`);
          assert.match(
            err,
            /accepts calls, but did not answer in time\nAllow more time with --request/,
          );
        }
      }
    });
  }],
  ["a watch that the server ends too early is begun again, after a pause", ({ mpctl }) => {
    const name = "operations/01a2100d-1d1b-727a-b0bd-28f5ad1710cf";
    let watches = 0;
    const server = createHttpServer((request, response) => {
      const watch = request.url?.endsWith("/WatchOperation");
      if (watch) watches++;
      const done = watches === 3;
      const state = done ? OperationState.SUCCEEDED : OperationState.RUNNING;
      const seen = toBinary(OperationSchema, create(OperationSchema, { name, state, done }));
      response.setHeader("content-type", "application/grpc-web+proto");
      response.write(enveloped(0, seen));
      response.end(enveloped(0x80, new TextEncoder().encode("grpc-status: 0\r\n")));
    });
    return withServer(server, async (address) => {
      const start = performance.now();
      const { code, err } = await mpctl("op", "watch", name, "--server", `http://${address}`);
      assert.equal(code, 0, err);
      assert.equal(watches, 3, "two ended before the operation, the third reported its end");
      assert.ok(performance.now() - start > 400, "it pauses before it begins again");
    });
  }],
  ["an error of the API is never mistaken for a connection error", ({ mpctl }) => {
    const info = create(ErrorInfoSchema, { reason: "CLUSTER_UNREACHABLE", domain: ERROR_DOMAIN });
    const message = "Cannot plan: cluster 'default' does not answer: connection refused";
    const details = [anyPack(ErrorInfoSchema, info)];
    const status = create(StatusSchema, { code: 14, message, details });
    const bytes = toBinary(StatusSchema, status).toBase64({ omitPadding: true });
    const server = createHttpServer((_request, response) => {
      response.setHeader("content-type", "application/grpc-web+proto");
      const trailers = [
        "grpc-status: 14",
        `grpc-message: ${encodeURIComponent(message)}`,
        `grpc-status-details-bin: ${bytes}`,
      ];
      response.end(enveloped(0x80, new TextEncoder().encode(`${trailers.join("\r\n")}\r\n`)));
    });
    return withServer(server, async (address) => {
      const args = ["env", "create", "dev", "--dry-run", "--server", `http://${address}`];
      const { code, err } = await mpctl(...args);
      assert.deepEqual([code, err], [1, `Error: ${message}\n`]);
    });
  }],
  ["a server that goes away during a stream is reported", async (world) => {
    const { mpctl, platform } = world;
    await mpctl("env", "create", "dev");
    await mpctl("workload", "deploy", "web", "--env", "dev", "--image", "nginx:1");
    const following = mpctl(
      "workload",
      "logs",
      "web",
      "--env",
      "dev",
      "--follow",
      "--timeout",
      "15s",
    );
    const stuck = ["--env", "dev", "--image", "nginx:stuck", "--timeout", "15s"];
    const watching = mpctl("workload", "deploy", "slow", ...stuck);
    // Both streams have begun when the operation is seen to run.
    for (let running = false; !running;) {
      running = (await mpctl("op", "list", "--filter", "state = RUNNING")).out.includes("slow");
    }
    await platform.kill();
    const gone =
      /Error: Cannot reach the server at \S+: (the connection broke|connection refused)\n/;
    const logs = await following;
    assert.equal(logs.code, 5, logs.err);
    assert.match(logs.err, gone);
    assert.match(
      logs.err,
      /\nFollow it again with 'mpctl workload logs web --env dev --follow'\n$/,
    );
    const deploy = await watching;
    assert.equal(deploy.code, 5, deploy.err);
    assert.match(deploy.err, /^The connection to the server is lost; trying again$/m);
    assert.match(deploy.err, gone);
    assert.match(deploy.err, /\nFollow it with 'mpctl op watch [0-9a-f-]{36}'\n$/);
  }],
];

for (const runtime of ["deno", "node"] as const) {
  testMpctl(`mpctl with a bad server by ${runtime}`, CASES, { runtime });
}

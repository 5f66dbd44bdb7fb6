import assert from "node:assert/strict";
import { Peers, serveGrpc, serveWeb } from "@mpc/api";
import { eventually } from "../servers/eventually.ts";
import { rawPeer } from "../fuzz/raw_peer.ts";

Deno.test("what a peer holds at one door counts for it at the other", async () => {
  const limits = { maxHeldBytes: 1_000_000, maxCalls: 10, workPerTurn: 64 };
  // One peer alone may have half of them.
  const peers = new Peers({ ...limits, maxConnections: 4 });
  const options = { routes: [], listen: { host: "127.0.0.1", port: 0 }, peers };
  const grpc = await serveGrpc(options);
  const web = serveWeb(options);
  try {
    const held = await Promise.all([1, 2].map(() => rawPeer(grpc.address.port)));
    await eventually("both are counted", () => {
      assert.equal(peers.connected, 2);
      return Promise.resolve();
    });
    const refused = await rawPeer(web.address.port, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.equal(await refused.ended, "", "the third connection is refused");
    const other = await rawPeer(
      web.address.port,
      "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      "127.0.0.2",
    );
    assert.match(await other.ended, /^HTTP\/1\.1 200/, "another peer is answered");
    for (const { socket } of held) socket.destroy();
    await Promise.all(held.map(({ ended }) => ended));
  } finally {
    await Promise.all([grpc.close(0), web.close(0)]);
  }
});

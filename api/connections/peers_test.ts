import assert from "node:assert/strict";
import { DEFAULT_PEER_LIMITS, peerKey, Peers } from "./peers.ts";

for (
  const [address, key] of [
    ["127.0.0.1", "127.0.0.1"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["::1", "0:0:0:0"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::9", "2001:db8:1:2"],
    ["2001:0db8::9", "2001:db8:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
  ] as const
) {
  Deno.test(`connections from ${address} count for ${key}`, () => {
    assert.equal(peerKey(address), key);
  });
}

Deno.test("a peer gets half of the connections, and others still get in", () => {
  const peers = new Peers({ ...DEFAULT_PEER_LIMITS, maxConnections: 8 });
  const first = Array.from({ length: 4 }, () => peers.connect("127.0.0.1"));
  assert.ok(first.every((peer) => peer === first[0] && peer !== undefined), "the same peer");
  assert.equal(peers.connect("127.0.0.1"), undefined);
  assert.ok(peers.connect("127.0.0.2"));
  peers.disconnect(first[0]!);
  assert.equal(peers.connect("127.0.0.1"), undefined, "half of seven, with three held");
  peers.disconnect(first[0]!);
  assert.ok(peers.connect("127.0.0.1"));
  assert.equal(peers.connected, 4);
});

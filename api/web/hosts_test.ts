import assert from "node:assert/strict";
import { isOwnOrigin, ownHosts } from "./hosts.ts";

const isOwn = ownHosts("10.1.2.3", ["mpc.example.com"]);

for (
  const [authority, own] of [
    ["127.0.0.1:8080", true],
    ["127.9.9.9", true],
    ["localhost:8080", true],
    ["LOCALHOST.", true],
    ["web.localhost:1", true],
    ["[::1]:8080", true],
    ["10.1.2.3:8080", true],
    ["mpc.example.com", true],
    ["MPC.example.com.:443", true],
    ["10.1.2.4:8080", false],
    ["evil.example", false],
    ["127.0.0.1.evil.example", false],
    ["localhost.evil.example:8080", false],
    ["mpc.example.com.evil.example", false],
    ["[::2]", false],
    ["", false],
    ["a:b:c", false],
    ["localhost@evil.example", false],
    ["localhost:65535", true],
    ["localhost:65536", false],
    ["127.0.0.999", false],
    ["a b.localhost", false],
    ["%00.localhost", false],
    ["xn--a.localhost", false],
  ] as const
) {
  Deno.test(`the host '${authority}' is ${own ? "" : "not "}ours`, () => {
    assert.equal(isOwn(authority), own);
    assert.equal(isOwn(authority), own, "also when it is asked again");
  });
}

for (
  const [origin, own] of [
    ["http://localhost:3000", true],
    ["https://mpc.example.com", true],
    ["https://evil.example", false],
    ["null", false],
    ["file://localhost", false],
    ["http://localhost:3000/x", false],
  ] as const
) {
  Deno.test(`a page of the origin '${origin}' is ${own ? "" : "not "}ours`, () => {
    assert.equal(isOwnOrigin(origin, isOwn), own);
  });
}

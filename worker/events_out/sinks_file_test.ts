import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import { parseSinksFile } from "./sinks_file.ts";

const sinkWith = (line = "", url = "https://hooks.example.com/planted-key") =>
  `sinks:\n- id: chat\n  url: ${url}\n  secretFile: /run/secret\n  ${line}\n`;

const WRONG: readonly (readonly [title: string, text: string, message: RegExp])[] = [
  ["no sinks", "allow: []\n", /^f\.yaml:1:1: sinks: /],
  [
    "an unknown field",
    sinkWith("retries: 3"),
    /^f\.yaml:5:3: sinks\[0\]\.retries: is not a field$/,
  ],
  [
    "plain HTTP",
    sinkWith("", "http://hooks.example.com/planted-key"),
    /:3:3: sinks\[0\]\.url: must be https/,
  ],
  ["another scheme", sinkWith("", "file:///etc/planted-key"), /sinks\[0\]\.url: must be https/],
  [
    "a password in the URL",
    sinkWith("", "https://a:planted-key@b.example/"),
    /must have no user, password/,
  ],
  [
    "a wrong filter",
    sinkWith("filter: colour = red"),
    /:5:3: sinks\[0\]\.filter: the unknown field 'colour'/,
  ],
  [
    "a wrong time",
    sinkWith("timeout: 5m"),
    /:5:3: sinks\[0\]\.timeout: must be a time such as 10s/,
  ],
  [
    "a wrong beginning",
    sinkWith("from: yesterday"),
    /:5:3: sinks\[0\]\.from: must be now or beginning/,
  ],
  ["a wrong id", sinkWith().replace("chat", "Chat"), /:2:3: sinks\[0\]\.id: must be lower-case/],
  [
    "an id twice",
    sinkWith() + sinkWith().replace("sinks:\n", ""),
    /:6:3: sinks\[1\]\.id: 'chat' is there/,
  ],
  [
    "a wrong range",
    "allow: [10.0.0.0/99]\nsinks: []",
    /:1:9: allow\[0\]: must be a host, an address/,
  ],
  ["an address in another notation", "allow: ['010.1']\nsinks: []", /allow\[0\]: must be a host/],
];

for (const [title, text, message] of WRONG) {
  Deno.test(`a file of event sinks with ${title} is refused with its place`, () => {
    assert.throws(() => parseSinksFile("f.yaml", text), (error) => {
      assert.ok(error instanceof MpcError);
      assert.equal(error.reason, "EVENT_SINKS_FILE_INVALID");
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /planted-key/);
      return true;
    });
  });
}

Deno.test("a sink begins with the next event, and has times by default", () => {
  const { sinks: [sink] } = parseSinksFile("f.yaml", sinkWith("filter: kind = operation"));
  assert.deepEqual(
    [sink?.from, sink?.timeout, sink?.giveUpAfter, sink?.filter.text],
    ["now", 10_000, 86_400_000, "kind = operation"],
  );
  const loopback = parseSinksFile("f.yaml", sinkWith("giveUpAfter: 2h", "http://127.0.0.1:9/x"));
  assert.equal(loopback.sinks[0]?.giveUpAfter, 7_200_000);
});

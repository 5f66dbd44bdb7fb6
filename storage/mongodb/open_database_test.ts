/** Addresses that cannot be opened: each error says what to do next, and shows no password. */
import assert from "node:assert/strict";
import { rejectsWith } from "@mpc/tests/fakes/rejects.ts";
import { NO_SANITIZERS } from "@mpc/tests/servers/no_sanitizers.ts";
import { scramAnswers } from "@mpc/tests/servers/scram_answers.ts";
import { startScriptedMongodb } from "@mpc/tests/servers/scripted_mongodb.ts";
import { openDatabase } from "./open_database.ts";

const INVALID: readonly (readonly [address: string, message: RegExp])[] = [
  ["mongodb://127.0.0.1:1/my%20db", /name of its database contains ' '; use letters, digits/],
  ["mongodb://127.0.0.1:1/my.db", /contains '\.'/],
  ["mongodb://127.0.0.1:1/a$b?w=1", /contains '\$'/],
  ["mongodb://127.0.0.1:1/a%2Fb", /contains '\/'/],
  ["mongodb+srv://127.0.0.1/a*b", /contains '\*'/],
  ["mongodb://127.0.0.1:1/100%", /contains a '%' that no two hex digits follow/],
  [`mongodb://127.0.0.1:1/${"x".repeat(64)}`, /longer than 63 bytes/],
  [`mongodb://127.0.0.1:1/${"%C3%A9".repeat(32)}`, /longer than 63 bytes/],
  ["mongodb://127.0.0.1:1/admin", /'admin' is a database of the server itself; choose another/],
  ["mongodb://ann:se@cret@127.0.0.1:1/mpc", /contains '@'; write '%40' in its place/],
  ["mongodb://127.0.0.1:1/mpc?maxPoolsize=x", /maxPoolSize/i],
  ["mongodb://127.0.0.1:1/mpc?poolsize=3", /option poolsize is not supported/],
  ["mongodb://127.0.0.1:99999/mpc", /99999/],
  ["mongodb://127.0.0.1:1/mpc?w=0", /'w=0' would acknowledge writes/],
  ["mongodb://127.0.0.1:1/mpc?tls=true&tlsCAFile=/no/such.pem", /cannot be read: .*such\.pem/],
];

for (const [address, pattern] of INVALID) {
  Deno.test(`openDatabase() rejects ${address}`, NO_SANITIZERS, async () => {
    const opened = openDatabase(address);
    const { message } = await rejectsWith(opened, "INVALID_ARGUMENT", "STORE_ADDRESS_INVALID");
    assert.match(message, pattern);
    assert.doesNotMatch(message, /cret/);
  });
}

/** Opens an address where no server answers. @returns the message */
async function unavailable(address: string): Promise<string> {
  const { message } = await rejectsWith(openDatabase(address), "UNAVAILABLE", "STORE_UNAVAILABLE");
  assert.match(message, /^Cannot open the store: no MongoDB server answers at '[^'@]*' \(/);
  assert.match(message, /; check that it runs, and that the address has its host, port and 'tls'$/);
  assert.doesNotMatch(message, /secret/);
  return message;
}

const SOON = "serverSelectionTimeoutMS=300";

Deno.test(
  "openDatabase() names the host of a server that does not run",
  NO_SANITIZERS,
  async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    const message = await unavailable(`mongodb://ann:secret@127.0.0.1:${port}/mpc?${SOON}`);
    assert.match(message, new RegExp(`at '127.0.0.1:${port}' \\(.*ECONNREFUSED`));
  },
);

Deno.test("openDatabase() names a host that does not exist", NO_SANITIZERS, async () => {
  assert.match(
    await unavailable(`mongodb://ann:secret@no-such-host.invalid/mpc?${SOON}`),
    /at 'no-such-host\.invalid'/,
  );
});

Deno.test("openDatabase() gives up on a port that never answers", NO_SANITIZERS, async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  await unavailable(`mongodb://127.0.0.1:${port}/mpc?${SOON}`);
});

Deno.test("openDatabase() gives up on a server of another protocol", NO_SANITIZERS, async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("hello"),
  );
  await unavailable(`mongodb://127.0.0.1:${server.addr.port}/mpc?${SOON}`);
});

Deno.test({
  name: "openDatabase() says that Deno's permissions forbid the connection",
  ...NO_SANITIZERS,
  permissions: { net: ["localhost:1"], read: true, env: true, sys: true },
  async fn() {
    const { message } = await rejectsWith(
      openDatabase(`mongodb://ann:secret@127.0.0.1:1/mpc?${SOON}`),
      "UNAVAILABLE",
      "STORE_UNAVAILABLE",
    );
    assert.match(message, /no permission to connect to '127.0.0.1:1'; .* --allow-net$/);
  },
});

Deno.test("openDatabase() says that a password is rejected", NO_SANITIZERS, async () => {
  await using server = startScriptedMongodb();
  const opened = openDatabase(`mongodb://ann:secret@127.0.0.1:${server.port}/mpc`);
  const { message } = await rejectsWith(
    opened,
    "FAILED_PRECONDITION",
    "STORE_CREDENTIALS_REJECTED",
  );
  assert.match(message, /it rejects the user name or the password; correct the address/);
  assert.doesNotMatch(message, /secret/);
});

const USERS = [
  ["ann", "p@ss/w:rd%", undefined],
  ["ann", "wrong", "STORE_CREDENTIALS_REJECTED"],
  ["eve", "p@ss/w:rd%", "STORE_CREDENTIALS_REJECTED"],
] as const;

for (const [user, password, reason] of USERS) {
  const ends = reason === undefined ? "is accepted" : "is rejected";
  Deno.test(
    `openDatabase() signs '${user}' in by SCRAM: '${password}' ${ends}`,
    NO_SANITIZERS,
    async () => {
      const answers = scramAnswers("ann", "p@ss/w:rd%");
      let signedIn = 0;
      await using server = startScriptedMongodb({
        answer(command) {
          const answer = answers(command);
          if (answer?.["done"]) signedIn++;
          return answer && Promise.resolve(answer);
        },
      });
      const credentials = `${user}:${encodeURIComponent(password)}`;
      const opened = openDatabase(
        `mongodb://${credentials}@127.0.0.1:${server.port}/mpc?authMechanism=SCRAM-SHA-256`,
      );
      if (reason === undefined) {
        const { client, database } = await opened;
        await database.command({ ping: 1 });
        await client.close();
      } else {
        const { message } = await rejectsWith(opened, "FAILED_PRECONDITION", reason);
        assert.doesNotMatch(message, /wrong|p@ss/);
      }
      assert.equal(signedIn > 0, reason === undefined);
    },
  );
}

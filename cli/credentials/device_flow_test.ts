import assert from "node:assert/strict";
import { type Poll, startScriptedIssuer } from "@mpc/tests/servers/scripted_issuer.ts";
import { CliError } from "../errors/cli_error.ts";
import { deviceFlow, type Prompt } from "./device_flow.ts";
import { openIssuer } from "./issuer.ts";

const CLIENT = { clientId: "mpctl", audience: "" };

/** Signs in with a clock that only pauses move. */
async function signIn(
  polls: readonly Poll[],
  { device = {}, discovery = {}, audience = "" }: {
    readonly device?: Readonly<Record<string, unknown>>;
    readonly discovery?: Readonly<Record<string, unknown>>;
    readonly audience?: string;
  } = {},
) {
  await using issuer = await startScriptedIssuer();
  issuer.polls.push(...polls);
  issuer.device = device;
  issuer.discovery = discovery;
  let now = 0;
  const pauses: number[] = [];
  const prompts: Prompt[] = [];
  const notes: string[] = [];
  const timing = {
    now: () => now,
    pause(ms: number) {
      now += ms;
      pauses.push(ms / 1_000);
      return Promise.resolve();
    },
  };
  const run = async () =>
    await deviceFlow(await openIssuer(issuer.url, undefined), { ...CLIENT, audience }, {
      scopes: ["openid", "offline_access"],
      prompt: (prompt) => prompts.push(prompt),
      note: (text) => notes.push(text.replaceAll(issuer.url, "ISSUER")),
      timing,
    });
  const { url, forms, secrets } = issuer;
  try {
    return { tokens: await run(), pauses, prompts, notes, url, forms, secrets, problem: "" };
  } catch (error) {
    assert.ok(error instanceof CliError, String(error));
    const problem = error.message.replaceAll(url, "ISSUER");
    return { error, problem, pauses, prompts, notes, url, forms, secrets };
  }
}

const test = (name: string, fn: () => Promise<void>) =>
  // Fetch keeps connections in a pool of its own.
  Deno.test({ name: `deviceFlow() ${name}`, sanitizeOps: false, sanitizeResources: false, fn });

test("polls until the user has confirmed", async () => {
  const { tokens, pauses, prompts, url, forms, secrets } = await signIn(
    ["authorization_pending", "authorization_pending"],
    { device: { interval: 3 } },
  );
  assert.deepEqual(tokens && [tokens.token, tokens.refreshToken], secrets);
  assert.deepEqual(pauses, [3, 3, 3]);
  assert.deepEqual(prompts, [
    { uri: `${url}/activate`, code: "WDJB-MJHT", completeUri: "", lifeMs: 300_000 },
  ]);
  const [[, begin] = [], [, poll] = []] = forms;
  assert.deepEqual(Object.fromEntries(begin!), {
    client_id: "mpctl",
    scope: "openid offline_access",
  });
  assert.deepEqual(Object.fromEntries(poll!), {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: "device-code",
    client_id: "mpctl",
  });
});

test("asks for the audience of the server", async () => {
  const { forms } = await signIn([], { audience: "https://mpc.example.com" });
  const [[, begin] = []] = forms;
  assert.equal(begin?.get("audience"), "https://mpc.example.com");
  assert.equal(begin?.get("resource"), "https://mpc.example.com");
  const named = await signIn([], { audience: "mpc" });
  assert.deepEqual(["audience", "resource"].map((name) => named.forms[0]?.[1].get(name)), [
    "mpc",
    null,
  ]);
});

test("slows down for good when it is asked to", async () => {
  const { pauses } = await signIn(["slow_down", "authorization_pending", "slow_down"], {
    device: { interval: undefined },
  });
  assert.deepEqual(pauses, [5, 10, 10, 15]);
});

test("goes on while the issuer has failures of its own, with longer pauses", async () => {
  const failure = { status: 500, body: "<html>oops" };
  const { tokens, pauses, notes } = await signIn([failure, failure, "authorization_pending"]);
  assert.ok(tokens);
  assert.deepEqual(pauses, [1, 2, 4, 4]);
  assert.deepEqual(notes, [
    "Cannot sign in at ISSUER: it answers with HTTP 500; trying again",
  ]);
});

test("ends with the code, by the issuer's word and by its own clock", async () => {
  const told = await signIn(["authorization_pending", "expired_token"]);
  const own = await signIn(Array<Poll>(100).fill("authorization_pending"), {
    device: { expires_in: 10 },
  });
  for (const { error, problem } of [told, own]) {
    assert.equal(problem, "Cannot sign in at ISSUER: the code expired before it was confirmed");
    assert.equal(error?.exitCode, 5);
  }
  assert.equal(own.pauses.length, 10);
});

const REFUSALS: readonly (readonly [Poll, string])[] = [
  ["access_denied", "access was denied there"],
  ["invalid_client", "invalid_client"],
  [{ status: 400, body: '{"error":"\\u001b[2Jbad"}' }, " [2Jbad"],
  [{ status: 400, body: "no JSON" }, "it answers with HTTP 400"],
  [{ status: 302, body: "" }, "it answers with HTTP 302"],
  [{ status: 200, body: "<html>" }, "its answer is not a JSON object"],
  [{ status: 200, body: "[]" }, "its answer is not a JSON object"],
  [{ status: 200, body: "{}" }, "its answer has no id_token"],
  [{ status: 200, body: '{"id_token":"a\\nb"}' }, "its answer has no id_token"],
];

for (const [poll, problem] of REFUSALS) {
  test(`ends at ${typeof poll === "string" ? poll : `${poll.status} ${poll.body}`}`, async () => {
    const found = await signIn([poll]);
    assert.equal(found.problem, `Cannot sign in at ISSUER: ${problem}`);
    assert.equal(found.pauses.length, 1);
  });
}

test("asks again after an answer without an end", async () => {
  const endless = { status: 200, body: `{"id_token":"${"x".repeat(300_000)}"}` };
  const { notes, tokens } = await signIn([endless]);
  assert.equal(notes.length, 1);
  assert.ok(tokens);
});

test("prints nothing that controls a terminal", async () => {
  const { prompts } = await signIn([], { device: { user_code: "AB\u001b[2J\u0007CD\u202e" } });
  assert.equal(prompts[0]?.code, "AB [2J CD ");
  for (const verification_uri of ["javascript:alert(1)", "no url", undefined]) {
    const { problem } = await signIn([], { device: { verification_uri } });
    assert.equal(
      problem,
      "Cannot sign in at ISSUER: its answer has no usable verification_uri",
    );
  }
});

test("refuses an issuer that cannot be trusted with secrets", async () => {
  const foreign = await signIn([], { discovery: { issuer: "https://issuer.example.com" } });
  assert.match(foreign.problem, /its discovery document is of another issuer$/);
  for (const name of ["token_endpoint", "revocation_endpoint"]) {
    const { problem } = await signIn([], { discovery: { [name]: "http://issuer.example.com/x" } });
    assert.equal(
      problem,
      `Cannot use issuer ISSUER: its ${name} must be https:// or on a loopback address`,
    );
  }
  await assert.rejects(openIssuer("http://issuer.example.com", undefined), /its issuer must be/);
  const { error } = await signIn([], { discovery: { device_authorization_endpoint: undefined } });
  assert.match(error?.hint ?? "", /'mpctl login --with-token'/);
});

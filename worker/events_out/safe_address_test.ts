import assert from "node:assert/strict";
import fc from "fast-check";
import { parseSinksFile } from "./sinks_file.ts";
import { checkedAddresses } from "./safe_address.ts";

const PUBLIC = [{ address: "93.184.216.34" }];
const NEVER = () => Promise.reject(new Error("it is an address"));

const allowOf = (allow: string) => parseSinksFile("f", `allow: [${allow}]\nsinks: []`).allow;

const check = (host: string, allow = "", answers: readonly { address: string }[] = PUBLIC) =>
  checkedAddresses(
    new URL(`https://${host}/`).hostname,
    allowOf(allow),
    () => Promise.resolve(answers),
  );

/** Addresses that no sink may have by default, in the spellings that URLs and resolvers take. */
const FORBIDDEN: readonly (readonly [first: number, bits: number])[] = [
  [0x7f000000, 8],
  [0x0a000000, 8],
  [0xac100000, 12],
  [0xc0a80000, 16],
  [0xa9fe0000, 16],
  [0x64400000, 10],
  [0x00000000, 8],
  [0xe0000000, 4],
  [0xf0000000, 4],
];

const forbidden = fc.constantFrom(...FORBIDDEN).chain(([first, bits]) =>
  fc.nat(2 ** (32 - bits) - 1).map((rest) => first + rest)
);

const octets = (address: number) => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255);

function spellings(address: number): readonly string[] {
  const [a, b, c, d] = octets(address) as [number, number, number, number];
  const hex = (part: number) => part.toString(16);
  const mapped = `${hex((a << 8) | b)}:${hex((c << 8) | d)}`;
  return [
    `${a}.${b}.${c}.${d}`,
    String(address),
    `0x${hex(address)}`,
    `0${a.toString(8)}.0${b.toString(8)}.${c}.${d}`,
    `0x${hex(a)}.${b}.${(c << 8) | d}`,
    `[::ffff:${a}.${b}.${c}.${d}]`,
    `[::ffff:${mapped}]`,
    `[64:ff9b::${mapped}]`,
    `[2002:${mapped}::1]`,
  ];
}

Deno.test("no spelling of a private, local or reserved address is accepted", () =>
  fc.assert(
    fc.asyncProperty(forbidden, async (address) => {
      for (const host of spellings(address)) {
        await assert.rejects(check(host), /not public/, host);
      }
    }),
    { seed: 1, numRuns: 300 },
  ));

Deno.test("a name is refused when one of its answers is not public", () =>
  fc.assert(
    fc.asyncProperty(forbidden, fc.boolean(), async (address, first) => {
      const answer = { address: octets(address).join(".") };
      const answers = first ? [answer, ...PUBLIC] : [...PUBLIC, answer];
      await assert.rejects(check("hooks.example.com", "", answers), /not public/);
      const mapped = { address: `::ffff:${answer.address}` };
      await assert.rejects(check("hooks.example.com", "", [...PUBLIC, mapped]), /not public/);
    }),
    { seed: 1, numRuns: 100 },
  ));

for (
  const address of [
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "fec0::1",
    "100::1",
  ]
) {
  Deno.test(`a name with the address ${address} is refused`, async () => {
    await assert.rejects(check("hooks.example.com", "", [{ address }]), /not public/);
  });
}

Deno.test("public addresses are connected to as they were checked", async () => {
  const answers = [...PUBLIC, { address: "2606:2800:220:1::1" }];
  assert.deepEqual(await check("hooks.example.com", "", answers), [
    { address: "93.184.216.34", family: 4 },
    { address: "2606:2800:220:1::1", family: 6 },
  ]);
  assert.deepEqual(await checkedAddresses("8.8.8.8", [], NEVER), [
    { address: "8.8.8.8", family: 4 },
  ]);
});

Deno.test("a file allows ranges, addresses and hosts, and nothing beside them", async () => {
  const inside = [{ address: "10.1.2.3" }];
  assert.equal((await check("hooks.corp", "10.1.0.0/16", inside)).length, 1);
  assert.equal((await check("hooks.corp", "10.1.2.3", inside)).length, 1);
  assert.equal((await check("hooks.corp", "hooks.corp", inside)).length, 1);
  assert.equal((await check("hooks.corp.", "hooks.corp", inside)).length, 1);
  assert.equal((await check("[fd00::7]", "'fd00::/8'")).length, 1);
  for (const allow of ["10.2.0.0/16", "10.1.2.4", "corp", "other.corp", "'fd00::/8'"]) {
    await assert.rejects(check("hooks.corp", allow, inside), /not public/, allow);
  }
});

Deno.test("a name without an answer is a failure that is retried", async () => {
  await assert.rejects(check("hooks.example.com", "", []), /has no address/);
  const broken = () => Promise.reject(new Error("SERVFAIL"));
  await assert.rejects(checkedAddresses("a.example", [], broken), /cannot be resolved/);
});

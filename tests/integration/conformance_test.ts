/** gRPC, gRPC-Web and Connect, by a judge that is not ours: Connect's conformance suite. */
import assert from "node:assert/strict";
import { goTool } from "../servers/go_tool.ts";

/**
 * The doors' own refusals carry an `ErrorInfo` and advice (AIP-193); the suite wants none, and does
 * not know their types. Nothing else may be wrong with a case of this kind.
 */
const ADDED_DETAILS = [
  /^actual error contain 2 details; expecting 0$/,
  /^connect error JSON: details\[1\]: could not check debug data because message type "mpc\.v1\.ErrorAdvice" could not be resolved/,
];

/** The suite wants INTERNAL for a compressed message without an encoding; it is the caller's fault. */
const CALLERS_FAULT = [
  ...ADDED_DETAILS,
  /^actual error \{code: 3 \(invalid_argument\), .* is compressed .*\} does not match expected code 13/,
];

const TOO_LARGE = {
  "Server Message Size/unary/request-exceeds-server-limit": ADDED_DETAILS,
  "Server Message Size/server-stream/request-exceeds-server-limit": ADDED_DETAILS,
  "Server Message Size/bidi-stream/half-duplex/first-request-exceeds-server-limit": ADDED_DETAILS,
  "Server Message Size/bidi-stream/half-duplex/subsequent-request-exceeds-server-limit":
    ADDED_DETAILS,
  "Server Message Size/bidi-stream/full-duplex/first-request-exceeds-server-limit": ADDED_DETAILS,
};

type Complaints = Readonly<Record<string, readonly RegExp[]>>;

/** Every case that is not met, by its name without the permutation, and what the suite says of it. */
const NOT_MET: Readonly<Record<"grpc" | "web", Complaints>> = {
  grpc: {
    "Basic/unimplemented": ADDED_DETAILS,
    ...TOO_LARGE,
    "gRPC Unexpected Requests/unary/no-request": ADDED_DETAILS,
    "gRPC Unexpected Requests/unary/multiple-requests": ADDED_DETAILS,
    "gRPC Unexpected Requests/server-stream/no-request": ADDED_DETAILS,
    "gRPC Unexpected Requests/server-stream/multiple-requests": ADDED_DETAILS,
    "gRPC Unexpected Requests/unexpected-compression": ADDED_DETAILS,
    "gRPC Unexpected Requests/unexpected-compressed-message": CALLERS_FAULT,
    "gRPC Unexpected Requests/unexpected-uri": ADDED_DETAILS,
  },
  web: {
    "Basic/unimplemented": ADDED_DETAILS,
    ...TOO_LARGE,
    "Connect Unexpected Requests/server-stream/no-request": ADDED_DETAILS,
    "Connect Unexpected Requests/server-stream/multiple-requests": ADDED_DETAILS,
    "Connect Unexpected Requests/unexpected-compression": ADDED_DETAILS,
    "Connect Unexpected Requests/unexpected-compressed-message": CALLERS_FAULT,
    "Connect Unexpected Requests/unexpected-uri": ADDED_DETAILS,
    "gRPC-Web Unexpected Requests/unary/no-request": ADDED_DETAILS,
    "gRPC-Web Unexpected Requests/unary/multiple-requests": ADDED_DETAILS,
    "gRPC-Web Unexpected Requests/server-stream/no-request": ADDED_DETAILS,
    "gRPC-Web Unexpected Requests/server-stream/multiple-requests": ADDED_DETAILS,
    "gRPC-Web Unexpected Requests/unexpected-compression": ADDED_DETAILS,
    "gRPC-Web Unexpected Requests/unexpected-compressed-message": CALLERS_FAULT,
    "gRPC-Web Unexpected Requests/unexpected-uri": ADDED_DETAILS,
  },
};

/** Cases whose client mostly ends a late call itself; now and then the door's refusal is faster. */
const RACE = /^Timeouts\//;

const MAX_NOT_MET = 20;

interface Verdict {
  /** Cases with all their permutations. */
  readonly permutations: number;
  /** What the suite says of each permutation that failed, line by line. */
  readonly failed: ReadonlyMap<string, readonly string[]>;
}

async function conformance(door: "grpc" | "web"): Promise<Verdict> {
  const server = new URL("../servers/conformance/", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command(await goTool("connectconformance"), {
    args: [
      ...["--mode", "server", "--conf", `${server}${door}_door.yaml`, "--max-servers", "2"],
      ...["--", Deno.execPath(), "run", "--allow-all", "--quiet", "--unstable-no-legacy-abort"],
      ...[`${server}conformance_server.ts`, door],
    ],
  }).output();
  const text = new TextDecoder();
  const report = text.decode(stdout) + text.decode(stderr);
  const total = /^Total cases: (\d+)$/m.exec(report);
  if (!total) throw new Error(report);
  const failed = new Map<string, readonly string[]>();
  for (const [, name, complaints] of report.matchAll(/^FAILED: (.*):\n((?:\t.*\n)*)/gm)) {
    const lines = complaints!.split("\n").map((line) => line.replace(/^[\t; ]+/, ""));
    failed.set(name!, lines.filter((line) => line !== ""));
  }
  return { permutations: Number(total[1]), failed };
}

/** The name of a case without what is permuted: versions, protocols, codecs, clients and TLS. */
const caseOf = (permutation: string): string =>
  permutation.split("/").filter((part) => !/^(\w+:|\(grpc client impl\)$)/.test(part)).join("/");

for (const [door, permutations] of [["grpc", 649], ["web", 628]] as const) {
  Deno.test(`the ${door} door passes Connect's conformance suite`, async () => {
    const verdict = await conformance(door);
    assert.equal(verdict.permutations, permutations, "all cases ran");
    const wrong = [...verdict.failed].flatMap(([permutation, complaints]) => {
      const name = caseOf(permutation);
      const expected = NOT_MET[door][name] ?? (RACE.test(name) ? ADDED_DETAILS : []);
      const others = complaints.filter((line) => !expected.some((known) => known.test(line)));
      return complaints.length === 0 || others.length > 0 ? [[permutation, ...others]] : [];
    });
    assert.deepEqual(wrong, []);
    const notMet = new Set([...verdict.failed.keys()].map(caseOf));
    const listed = Object.keys(NOT_MET[door]);
    assert.deepEqual(listed.filter((name) => !notMet.has(name)), [], "listed although it is met");
    const { size } = verdict.failed;
    console.log(`${door}: ${notMet.size} cases not met, ${size} of ${permutations} permutations`);
    assert.ok(notMet.size <= MAX_NOT_MET, `${notMet.size} cases are not met`);
  });
}

/** gRPC, gRPC-Web and Connect, by a judge that is not ours: Connect's conformance suite. */
import assert from "node:assert/strict";
import { goTool } from "../servers/go_tool.ts";

/**
 * What the suite says of an `ErrorInfo`: every error of the platform has one (AIP-193), and the
 * suite wants no details in errors of its own making. It also cannot know the type.
 */
const OF_ERROR_INFO = [
  /actual error contain 1 details; expecting 0$/,
  /could not check debug data because message type "google\.rpc\.ErrorInfo" could not be resolved/,
];

const NO_CALL =
  "it wants the status 405 or 415 alone, which means UNKNOWN; here the body says what is wrong";

const CALLERS_FAULT =
  "it wants INTERNAL for a compressed message without an encoding; that is the caller's fault";

/** Cases that are not met for other reasons, by name without the permutation. */
const ACCEPTED: Readonly<Record<string, string>> = {
  "Connect Unexpected Requests/unexpected-verb": NO_CALL,
  "Connect Unexpected Requests/unexpected-codec": NO_CALL,
  "Unexpected Requests/unexpected-content-type": NO_CALL,
  "Connect Unexpected Requests/unexpected-compressed-message": CALLERS_FAULT,
  "gRPC-Web Unexpected Requests/unexpected-compressed-message": CALLERS_FAULT,
  "gRPC Unexpected Requests/unexpected-compressed-message": CALLERS_FAULT,
};

interface Verdict {
  readonly cases: number;
  /** What was found wrong in each failed case, but for `ErrorInfo`. */
  readonly failed: ReadonlyMap<string, string>;
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
  const failed = new Map<string, string>();
  for (const [, name, found] of report.matchAll(/^FAILED: (.*):\n((?:\t.*\n)*)/gm)) {
    const wrong = found!.split("\n").map((line) => line.replace(/^[\t; ]+/, ""))
      .filter((line) => line !== "" && !OF_ERROR_INFO.some((expected) => expected.test(line)));
    if (wrong.length > 0) failed.set(name!, wrong.join("; "));
  }
  return { cases: Number(total[1]), failed };
}

/** The name of a case without what is permuted: versions, protocols, codecs, compressions and TLS. */
const bare = (name: string): string =>
  name.split("/").filter((part) => !/^\w+:/.test(part)).join("/");

for (const [door, cases] of [["grpc", 649], ["web", 628]] as const) {
  Deno.test(`the ${door} door passes Connect's conformance suite`, async () => {
    const verdict = await conformance(door);
    assert.equal(verdict.cases, cases, "all cases ran");
    const unexpected = [...verdict.failed].filter(([name]) => !(bare(name) in ACCEPTED));
    assert.deepEqual(unexpected, []);
    assert.ok(verdict.failed.size <= 20, `${verdict.failed.size} cases are not met`);
  });
}

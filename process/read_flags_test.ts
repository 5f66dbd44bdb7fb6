import assert from "node:assert/strict";
import { Command } from "@commander-js/extra-typings";
import { MpcError } from "@mpc/domain";
import { z } from "zod";
import { readFlags } from "./read_flags.ts";

const SCHEMA = z.object({
  keepTime: z.string().regex(/^\d+d$/, "must be days"),
  quiet: z.boolean().default(false),
  peer: z.array(z.string()),
  fruit: z.array(z.string()).default([]),
});

function read(env: Record<string, string>, ...args: string[]) {
  const command = new Command("test")
    .option("--keep-time <days>", "", "7d")
    .option("--quiet", "")
    .option("--peer <url...>", "", ["a"])
    .option("--fruit <name>", "", (text, all: string[] = []) => [...all, text]);
  return readFlags(command, SCHEMA, args, env);
}

Deno.test("a flag that is not given is read from its variable", () => {
  const env = { MPC_KEEP_TIME: "3d", MPC_QUIET: "true", MPC_PEER: "b, c", MPC_FRUIT: "fig,kiwi" };
  assert.deepEqual(read(env), {
    keepTime: "3d",
    quiet: true,
    peer: ["b", "c"],
    fruit: ["fig", "kiwi"],
  });
});

Deno.test("flags win over variables, and empty variables count as absent", () => {
  const env = { MPC_KEEP_TIME: "3d", MPC_QUIET: "false", MPC_PEER: "b", MPC_FRUIT: "fig" };
  assert.deepEqual(
    read(env, "--keep-time=1d", "--quiet", "--peer", "d", "--fruit=pear"),
    { keepTime: "1d", quiet: true, peer: ["d"], fruit: ["pear"] },
  );
  const empty = { MPC_KEEP_TIME: "", MPC_QUIET: "", MPC_PEER: "", MPC_FRUIT: "" };
  assert.deepEqual(read(empty), { keepTime: "7d", quiet: false, peer: ["a"], fruit: [] });
});

const REFUSED: readonly (readonly [Record<string, string>, string])[] = [
  [{ MPC_KEEP_TIME: "long" }, "MPC_KEEP_TIME 'long' must be days"],
  [{ MPC_QUIET: "perhaps" }, "MPC_QUIET 'perhaps' must be true or false"],
];

for (const [env, message] of REFUSED) {
  Deno.test(`a wrong variable is named: ${message}`, () => {
    assert.throws(() => read(env), (error) => {
      assert.ok(error instanceof MpcError);
      assert.deepEqual([error.reason, error.message], ["USAGE", `${message}; see --help`]);
      return true;
    });
  });
}

import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import { ERROR_CODES } from "@mpc/domain";
import { codeName } from "./code_name.ts";

Deno.test("codeName() spells every code as the domain does", () => {
  const codes = Object.values(Code).filter((code) => typeof code === "number");
  assert.deepEqual(codes.map(codeName).sort(), [...ERROR_CODES, "UNKNOWN"].sort());
});

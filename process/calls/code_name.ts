import { Code } from "@connectrpc/connect";
import { separateWords } from "@mpc/domain";

/** The name of a code as gRPC's documentation spells it: `NOT_FOUND`, and `CANCELLED` with two l. */
export const codeName = (code: Code): string =>
  code === Code.Canceled ? "CANCELLED" : separateWords(Code[code], "_").toUpperCase();

import { randomBytes } from "node:crypto";
import type { Ids } from "@mpc/services";
import { v7 } from "uuid";

/** Random ids and numbers. */
export const systemIds: Ids = {
  uuid: () => v7(),
  random: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
};

import process from "node:process";
import envPaths from "env-paths";

/** The data directory of processes on this machine, unless a flag overrides it. */
export const dataDirSetting = (): string =>
  process.env["MPC_DATA_DIR"] ?? envPaths("mpc", { suffix: "" }).data;

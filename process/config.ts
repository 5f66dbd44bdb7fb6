import process from "node:process";
import envPaths from "env-paths";

/** Where processes of this machine keep their data, unless a flag says otherwise. */
export const dataDirSetting = (): string =>
  process.env["MPC_DATA_DIR"] ?? envPaths("mpc", { suffix: "" }).data;

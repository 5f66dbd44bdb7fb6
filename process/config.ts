import process from "node:process";
import envPaths from "env-paths";

/** The data directory of processes on this machine, unless a flag overrides it. */
export const dataDirSetting = (): string =>
  process.env["MPC_DATA_DIR"] ?? envPaths("mpc", { suffix: "" }).data;

/**
 * What a process may read that is restricted to its data: the data directory, and the files that the
 * variables of its flags name, such as `MPC_ENCRYPTION_KEY_FILE`.
 */
export const readablePaths = (): readonly string[] => [
  dataDirSetting(),
  ...Object.entries(process.env).flatMap(([name, path]) =>
    /^MPC_(?:\w+_FILE|(?:WORKER_)?TLS_\w+)$/.test(name) && path ? [path] : []
  ),
];

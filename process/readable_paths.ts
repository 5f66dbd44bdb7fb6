/** Prints the paths that a process may read, as a list for `--allow-read`. */
import { readablePaths } from "./config.ts";

console.log(readablePaths().join(","));

/** Prints the data directory, so that tasks can restrict a process's permissions to it. */
import { dataDirSetting } from "./config.ts";

console.log(dataDirSetting());

/** Prints where data is kept, for tasks that permit a process to use that directory alone. */
import { dataDirSetting } from "./config.ts";

console.log(dataDirSetting());

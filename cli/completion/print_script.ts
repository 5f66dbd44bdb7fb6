import { script } from "@bomb.sh/tab";
import { EXIT } from "../exit_codes.ts";
import type { Shell } from "./shells.ts";

/** Prints the script of a shell, which asks `mpctl complete --` at each tab. */
export function printScript(shell: Shell): number {
  script(shell, "mpctl", "mpctl");
  return EXIT.OK;
}

/**
 * The completion scripts. At each press of the tab key a script passes the words before the cursor to
 * `mpctl complete --` and offers what that prints. The words are arguments of the program and nothing
 * else: a script never evaluates or expands what was typed, so that a redirection or a command
 * substitution on the line has no effect.
 */
import bash from "./scripts/mpctl.bash" with { type: "text" };
import fish from "./scripts/mpctl.fish" with { type: "text" };
import powershell from "./scripts/mpctl.ps1" with { type: "text" };
import zsh from "./scripts/mpctl.zsh" with { type: "text" };

/** The text of each shell's script. */
export const SCRIPTS = { bash, zsh, fish, powershell } as const;

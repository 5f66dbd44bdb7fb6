import { Argument } from "@commander-js/extra-typings";
import { SHELLS } from "../completion/shells.ts";
import { command, runLocally, type Runner } from "./shared.ts";

/** `mpctl completion` */
export function completionCommand(runner: Runner) {
  return command(
    "completion",
    "Print a script that completes commands, flags and the names of what is there",
    [
      "source <(mpctl completion bash)  # in ~/.bashrc; needs bash-completion",
      "source <(mpctl completion zsh)  # in ~/.zshrc, after compinit",
      "mpctl completion fish > ~/.config/fish/completions/mpctl.fish",
      "mpctl completion powershell | Out-String | Invoke-Expression",
    ],
  )
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .action((shell) =>
      runLocally(runner, async () => {
        const { printScript } = await import("../completion/print_script.ts");
        return printScript(shell);
      })
    );
}

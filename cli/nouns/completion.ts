import { Argument } from "@commander-js/extra-typings";
import { EXIT } from "../errors/cli_error.ts";
import { command, runLocally, type Runner } from "./command.ts";

/** The shells that have scripts. */
const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;

/** `mpctl completion` */
export function completionCommand(runner: Runner) {
  return command(
    "completion",
    "Print a shell script that completes commands, flags and resource names",
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
        const { script } = await import("@bomb.sh/tab");
        // The script calls `mpctl complete --` at each tab.
        script(shell, "mpctl", "mpctl");
        return EXIT.OK;
      })
    );
}

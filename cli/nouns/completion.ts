import { Argument } from "@commander-js/extra-typings";
import { EXIT } from "../errors/cli_error.ts";
import { command, runLocally, type Runner } from "./command.ts";

/** The shells that have a script. */
const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;

/** `mpctl completion` */
export function completionCommand(runner: Runner) {
  return command(
    "completion",
    "Print a shell script that completes commands, flags and resource names",
    [
      "source <(mpctl completion bash)  # in ~/.bashrc",
      "source <(mpctl completion zsh)  # in ~/.zshrc, after compinit",
      "mpctl completion fish > ~/.config/fish/completions/mpctl.fish",
      "mpctl completion powershell | Out-String | Invoke-Expression",
    ],
  )
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .action((shell) =>
      runLocally(runner, async (terminal) => {
        const { SCRIPTS } = await import("../completion/scripts.ts");
        terminal.out(SCRIPTS[shell]);
        return EXIT.OK;
      })
    );
}

import { command, noun, runLocally, type Runner } from "./shared.ts";

/** `mpctl config …` */
export function configCommands(runner: Runner) {
  return noun("config", "", "Config: profiles with a server, an output format and an environment")
    .addCommand(view(runner))
    .addCommand(list(runner))
    .addCommand(use(runner))
    .addCommand(set(runner))
    .addCommand(unset(runner))
    .addCommand(remove(runner));
}

function view(runner: Runner) {
  return command("view", "Show every setting as it holds now", [
    "mpctl config view",
    "mpctl config view --show-origin  # which flag, variable or profile set it",
  ])
    .option("--show-origin", "where each value comes from")
    .action((flags) =>
      runLocally(runner, async (terminal, host) => {
        const { view } = await import("../commands/config.ts");
        return await view(terminal, host, flags);
      })
    );
}

function list(runner: Runner) {
  return command("list", "List the profiles; the current one is marked", ["mpctl config list"])
    .alias("ls")
    .action((flags) =>
      runLocally(runner, async (terminal, host) => {
        const { list } = await import("../commands/config.ts");
        return await list(terminal, host, flags);
      })
    );
}

function use(runner: Runner) {
  return command("use", "Make a profile the current one", ["mpctl config use staging"])
    .argument("<profile>")
    .action((profile) =>
      runLocally(runner, async (terminal, host) => {
        const { use } = await import("../commands/config.ts");
        return await use(terminal, host, profile);
      })
    );
}

function set(runner: Runner) {
  return command("set", "Set something in a profile; makes the profile where there is none", [
    "mpctl config set server https://mpc.example.com --profile staging",
    "mpctl config set environment dev  # in the current profile",
    "mpctl config set output wide",
  ])
    .argument("<setting>", "server, output or environment")
    .argument("<value>")
    .action((setting, value, flags) =>
      runLocally(runner, async (terminal, host) => {
        const { set } = await import("../commands/config.ts");
        return await set(terminal, host, setting, value, flags);
      })
    );
}

function unset(runner: Runner) {
  return command("unset", "Remove a setting from a profile", ["mpctl config unset environment"])
    .argument("<setting>", "server, output or environment")
    .action((setting, flags) =>
      runLocally(runner, async (terminal, host) => {
        const { set } = await import("../commands/config.ts");
        return await set(terminal, host, setting, undefined, flags);
      })
    );
}

function remove(runner: Runner) {
  return command("delete", "Delete a profile", ["mpctl config delete staging"])
    .alias("rm")
    .argument("<profile>")
    .action((profile) =>
      runLocally(runner, async (terminal, host) => {
        const { remove } = await import("../commands/config.ts");
        return await remove(terminal, host, profile);
      })
    );
}

import config from "../../deno.json" with { type: "json" };
import { startDeno, type Subprocess } from "./subprocess.ts";

/** Starts a process of the platform with the permissions that its task gives it. */
export function startTask(
  task: "api" | "worker",
  dataDir: string,
  args: readonly string[],
): Subprocess {
  const [, command = ""] = config.tasks[task].split(" && deno ");
  const permitted = command.replaceAll('"$MPC_DATA_DIR"', dataDir).split(" ");
  return startDeno([...permitted, ...args], { MPC_DATA_DIR: dataDir });
}

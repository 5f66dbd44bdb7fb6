import config from "../../deno.json" with { type: "json" };
import { startDeno, type Subprocess } from "./subprocess.ts";

/** Starts a process of the platform with the permissions that its task gives it. */
export function startTask(
  task: "api" | "api:network" | "worker",
  dataDir: string,
  args: readonly string[],
): Subprocess {
  const command = taskCommand(task);
  const permitted = command.args.map((arg) => arg.replaceAll('"$MPC_DATA_DIR"', dataDir));
  return startDeno([...permitted, ...args], { ...command.env, MPC_DATA_DIR: dataDir });
}

/** The arguments and the constant variables with which a task starts Deno. */
export function taskCommand(
  task: keyof typeof config.tasks,
): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const steps = config.tasks[task].split(" && ");
  const [, ...args] = steps.at(-1)?.split(" ") ?? [];
  const constants = steps.map((step) => /^export (\w+)=([^"]+)$/.exec(step));
  const env = constants.flatMap((match) => match ? [[match[1]!, match[2]!] as const] : []);
  return { args, env: Object.fromEntries(env) };
}

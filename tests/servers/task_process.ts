import config from "../../deno.json" with { type: "json" };
import { startDeno, type Subprocess } from "./subprocess.ts";

/** Starts a process of the platform with the permissions that its task gives it. */
export function startTask(
  task: "api" | "api:network" | "worker",
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Subprocess {
  const command = taskCommand(task);
  const permitted = command.args.map((arg) =>
    arg.replace(/"\$MPC_(?:DATA_DIR|READABLE)"/, dataDir)
  );
  return startDeno([...permitted, ...args], { ...command.env, ...env, MPC_DATA_DIR: dataDir });
}

type Task = keyof typeof config.tasks;

/** The arguments and the constant variables with which a task starts Deno, perhaps by another task. */
export function taskCommand(
  task: Task,
): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const steps = config.tasks[task].split(" && ");
  const [, ...args] = steps.at(-1)?.split(" ") ?? [];
  const constants = steps.map((step) => /^export (\w+)=([^"]+)$/.exec(step));
  const env = constants.flatMap((match) => match ? [[match[1]!, match[2]!] as const] : []);
  const [verb, , inner, ...more] = args;
  if (verb !== "task") return { args, env: Object.fromEntries(env) };
  const command = taskCommand(inner as Task);
  return {
    args: [...command.args, ...more],
    env: { ...command.env, ...Object.fromEntries(env) },
  };
}

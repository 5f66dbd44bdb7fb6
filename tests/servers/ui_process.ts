import { startDeno, type Subprocess } from "./subprocess.ts";
import { taskCommand } from "./task_process.ts";

/** The dashboard as a process of its own. */
export interface UiProcess {
  readonly process: Subprocess;
  readonly pages: URL;
}

/** Starts the dashboard like its task, on a free port, and waits until it prints its address. */
export async function startUi(...args: readonly string[]): Promise<UiProcess> {
  const { args: command, env } = taskCommand("ui");
  const process = startDeno([...command, "--listen=127.0.0.1:0", ...args], env);
  const pages = await process.line((line) => /^ {2}pages +(\S+)$/.exec(line)?.[1]);
  return { process, pages: new URL(pages) };
}

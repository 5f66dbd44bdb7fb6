/** What tests need of Temporal's dev server besides what the product has. */
import { temporalProgram } from "../../api/temporal_dev_server.ts";

export { startTemporalServer, type TemporalServer } from "../../api/temporal_dev_server.ts";

/** Timers on the millisecond; by default the server looks for due timers once a second. */
export const EXACT_TIMERS: readonly string[] = [
  'history.timerProcessorMaxTimeShift="10ms"',
  "history.timerProcessorMaxPollRPS=1000",
];

/**
 * Runs a command line of Temporal's program, as a user would.
 * @returns what it printed
 */
export async function runTemporal(address: string, command: string): Promise<string> {
  const [, ...words] = command.match(/"[^"]*"|\S+/g) ?? [];
  const args = ["--address", address, ...words.map((word) => word.replaceAll('"', ""))];
  const { success, stdout, stderr } = await new Deno.Command(await temporalProgram(), { args })
    .output();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

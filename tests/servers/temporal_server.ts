/** Additions to the product's Temporal dev server, for tests. */
import { temporalProgram } from "../../api/temporal_dev_server.ts";

export { startTemporalServer, type TemporalServer } from "../../api/temporal_dev_server.ts";

/** Exact timers; by default the server looks for due timers once a second. */
export const EXACT_TIMERS: readonly string[] = [
  'history.timerProcessorMaxTimeShift="10ms"',
  "history.timerProcessorMaxPollRPS=1000",
];

/**
 * Runs a command line of Temporal's program, like a user who follows an instruction.
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

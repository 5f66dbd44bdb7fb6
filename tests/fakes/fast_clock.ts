import { systemClock } from "@mpc/process";
import type { Clock } from "@mpc/services";

/** A clock on which time passes faster, for waits of a program that talks to real servers. */
export function fastClock(factor: number): Clock {
  const [wall, start] = [systemClock.now(), systemClock.monotonic()];
  const passed = () => (systemClock.monotonic() - start) * factor;
  return {
    now: () => Math.floor(wall + passed()),
    monotonic: () => start + passed(),
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}

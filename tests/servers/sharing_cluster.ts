/** Shares a simulated cluster: changes the labels of a namespace until somebody deletes it. */
import { isMpcError, NO_QUOTA } from "@mpc/domain";
import { systemClock } from "@mpc/process";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";

const [statePath = ""] = Deno.args;
const provider = new SimulatedProvider({ clock: systemClock, delays: NO_DELAYS, statePath });
const { signal } = new AbortController();
const dev = { environment: "dev", uid: "uid-dev", cluster: "default", quota: NO_QUOTA };
for (let round = 0, deleted = false; !deleted; round++) {
  try {
    await provider.applyNamespace({ ...dev, labels: { round: `${round}` } }, { signal });
    if (round === 0) console.log("relabelling");
  } catch (error) {
    if (!isMpcError(error, "ABORTED")) throw error;
    deleted = true;
  }
}
await provider.close();

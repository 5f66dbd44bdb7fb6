/** The model-based test of the gate on Temporal: the same commands, faults, crashes and rules. */
import { TemporalEngines } from "../fakes/temporal_engines.ts";
import { checkModel } from "../faults/model.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { EXACT_TIMERS, startTemporalServer } from "../servers/temporal_server.ts";

const SEQUENCES = 150;
const SEED = 230760475;

Deno.test({
  name: `${SEQUENCES} random sequences of commands, faults and crashes end as the rules say`,
  ...NO_SANITIZERS,
  async fn() {
    const server = await startTemporalServer({ dynamicConfig: EXACT_TIMERS });
    const engines = await TemporalEngines.start(server);
    try {
      await checkModel(SEQUENCES, SEED, { engine: engines.newEngine, timeoutMs: 120_000 });
    } finally {
      await engines.close();
      await server.stop();
    }
  },
});

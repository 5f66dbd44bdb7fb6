/** For tests: the API's streams in memory. The next script answers each call. */
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import {
  ErrorInfoSchema,
  EventService,
  type Operation,
  OperationService,
  type StreamLogsRequest,
  type StreamLogsResponse,
  type WatchEventsRequest,
  type WatchEventsResponse,
  WorkloadService,
} from "@mpc/proto";
import { ERROR_DOMAIN } from "@mpc/domain";
import type { Connection } from "@mpc/client";
import type { Timing } from "@mpc/client";

/** The messages of one stream; an error ends it. */
export type Script<T> = readonly (T | ConnectError)[];

/** The error of a connection whose server dies. */
export const broken = (): ConnectError =>
  new ConnectError("read failed", Code.Unknown, undefined, undefined, new Error("ECONNRESET"));

/** An error that the API sends. */
export const sent = (code: Code, reason: string): ConnectError =>
  new ConnectError(reason, code, undefined, [{
    desc: ErrorInfoSchema,
    value: { reason, domain: ERROR_DOMAIN },
  }]);

export interface ScriptedServer {
  readonly connection: Pick<Connection, "client">;
  readonly watches: WatchEventsRequest[];
  readonly logRequests: StreamLogsRequest[];
  /** The signals of the streams, aborted when their caller leaves. */
  readonly signals: AbortSignal[];
}

/** A call after the last script finds the server gone. */
export function scriptedServer(scripts: {
  readonly operation?: readonly Script<Operation>[];
  readonly events?: readonly Script<WatchEventsResponse>[];
  readonly logs?: readonly Script<StreamLogsResponse>[];
}): ScriptedServer {
  const operations = [...scripts.operation ?? []];
  const events = [...scripts.events ?? []];
  const logs = [...scripts.logs ?? []];
  const logRequests: StreamLogsRequest[] = [];
  const watches: WatchEventsRequest[] = [];
  const signals: AbortSignal[] = [];
  const transport = createRouterTransport(({ rpc }) => {
    rpc(OperationService.method.watchOperation, (_, { signal }) => {
      signals.push(signal);
      return play(operations.shift());
    });
    rpc(EventService.method.watchEvents, (request, { signal }) => {
      watches.push(request);
      signals.push(signal);
      return play(events.shift());
    });
    rpc(WorkloadService.method.streamLogs, (request) => {
      logRequests.push(request);
      return play(logs.shift());
    });
  });
  return {
    connection: { client: (service) => createClient(service, transport) },
    watches,
    logRequests,
    signals,
  };
}

async function* play<T>(script: Script<T> = [broken()]): AsyncGenerator<T> {
  for (const step of script) {
    await Promise.resolve();
    if (step instanceof ConnectError) throw step;
    yield step;
  }
}

/** A clock that only pauses advance, and that records them. */
export function fakeTiming(): Timing & { readonly pauses: number[] } {
  const pauses: number[] = [];
  let now = 0;
  return {
    pauses,
    now: () => now,
    random: () => 0,
    pause(ms) {
      pauses.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
}

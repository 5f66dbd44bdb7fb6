import { Code, ConnectError } from "@connectrpc/connect";
import { type Event, EventService, EventType } from "@mpc/proto";
import type { Connection } from "./connect.ts";
import { readFailure } from "./errors.ts";
import { Reconnect, type ReconnectOptions, untilReaderStops } from "./reconnect.ts";

/** Which events to watch; all events by default. */
export interface WatchRequest {
  /** Only this resource and the resources below it. */
  readonly target?: string | undefined;
  /** Only resources of these kinds: `environment`, `workload`, `operation`. */
  readonly kinds?: readonly string[] | undefined;
  /** Resumes after the update that had this token, instead of beginning with existing resources. */
  readonly resumeToken?: string | undefined;
  /** Begins with the next event, instead of existing resources. */
  readonly skipExisting?: boolean | undefined;
}

/** One update of a watch: an event, a synced mark, or a reset. */
export interface WatchUpdate {
  readonly event: Event | undefined;
  /** Everything that existed has been sent. */
  readonly synced: boolean;
  /** Where a later watch can resume; empty while that is not possible. */
  readonly resumeToken: string;
  /**
   * Set if the watch begins again because the server cannot resume it: updates are missing, and
   * existing resources are sent again. Discard everything that earlier updates built. Contains the
   * reason.
   */
  readonly reset: ConnectError | undefined;
}

/**
 * Watches events without gaps or duplicates. A broken stream is resumed after its last token, even
 * if the server restarts; a watch whose token has expired, or that broke before its first token, is
 * reset.
 * @throws {ConnectError} INVALID_ARGUMENT; the last error if the server is unreachable for too long
 *   or the signal is aborted
 */
export const watchEvents = (
  connection: Pick<Connection, "client">,
  request: WatchRequest = {},
  options: ReconnectOptions = {},
): AsyncGenerator<WatchUpdate, void> =>
  untilReaderStops(options.signal, (signal) => watch(connection, request, options, signal));

async function* watch(
  connection: Pick<Connection, "client">,
  request: WatchRequest,
  options: ReconnectOptions,
  signal: AbortSignal,
): AsyncGenerator<WatchUpdate, void> {
  const client = connection.client(EventService);
  const { target = "", kinds = [], skipExisting = false } = request;
  const reconnect = new Reconnect(options, false);
  let resumeToken = request.resumeToken ?? "";
  let lastSequence = -1n;
  let sentExisting = false;
  for (;;) {
    let lost: unknown = new ConnectError("the server ended the watch", Code.Unavailable);
    try {
      const body = { target, kinds: [...kinds], skipExisting, resumeToken };
      for await (
        const { event, synced, resumeToken: token } of client.watchEvents(body, { signal })
      ) {
        reconnect.received(true);
        resumeToken = token || resumeToken;
        if (event && event.type !== EventType.EXISTING) {
          if (event.sequence <= lastSequence) continue;
          lastSequence = event.sequence;
        }
        sentExisting ||= event !== undefined;
        yield { event, synced, resumeToken, reset: undefined };
      }
    } catch (error) {
      lost = error;
    }
    const expired = resumeToken !== "" && isExpired(lost);
    if (!expired) await reconnect.again(lost);
    if (expired || (resumeToken === "" && sentExisting)) {
      resumeToken = "";
      lastSequence = -1n;
      sentExisting = false;
      const reset = ConnectError.from(lost);
      yield { event: undefined, synced: false, resumeToken, reset };
    }
  }
}

/** Whether the server's log no longer has the events after the token, or is another log. */
function isExpired(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  const { origin, code } = readFailure(error);
  return origin === "api" && code === Code.OutOfRange;
}

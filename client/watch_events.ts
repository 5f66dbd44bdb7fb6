import { Code, ConnectError } from "@connectrpc/connect";
import { type Event, EventService, EventType } from "@mpc/proto";
import type { Connection } from "./connect.ts";
import { readFailure } from "./errors.ts";
import { Reconnect, type ReconnectOptions } from "./reconnect.ts";

/** Which events to watch; everything where nothing is given. */
export interface WatchRequest {
  /** Only this resource and the resources below it. */
  readonly target?: string | undefined;
  /** Only resources of these kinds: `environment`, `workload`, `operation`. */
  readonly kinds?: readonly string[] | undefined;
  /** Resumes after the update that carried it, in place of beginning with what exists. */
  readonly resumeToken?: string | undefined;
  /** Begins with what happens next, in place of what exists. */
  readonly skipExisting?: boolean | undefined;
}

/** One update of a watch: an event, a mark, or a reset. */
export interface WatchUpdate {
  readonly event: Event | undefined;
  /** Everything that existed has been sent. */
  readonly synced: boolean;
  /** Where a later watch can resume; empty as long as that is not possible. */
  readonly resumeToken: string;
  /**
   * Set where the watch begins anew, because the server cannot resume it: updates are missing, and
   * what exists is sent again. Discard what earlier updates built. Holds the reason.
   */
  readonly reset: ConnectError | undefined;
}

/**
 * Watches events without gaps or duplicates. A stream that breaks is resumed after its last token,
 * also when the server restarts; a watch whose token has expired, or that broke before it had one,
 * is reset.
 * @throws {ConnectError} INVALID_ARGUMENT; the last error where the server is away for too long or
 *   the signal is aborted
 */
export async function* watchEvents(
  connection: Pick<Connection, "client">,
  request: WatchRequest = {},
  options: ReconnectOptions = {},
): AsyncGenerator<WatchUpdate, void> {
  const client = connection.client(EventService);
  const { target = "", kinds = [], skipExisting = false } = request;
  const call = options.signal ? { signal: options.signal } : {};
  const reconnect = new Reconnect(options, false);
  let resumeToken = request.resumeToken ?? "";
  let lastSequence = -1n;
  let sentExisting = false;
  for (;;) {
    let lost: unknown = new ConnectError("the server ended the watch", Code.Unavailable);
    try {
      const body = { target, kinds: [...kinds], skipExisting, resumeToken };
      for await (const { event, synced, resumeToken: token } of client.watchEvents(body, call)) {
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

/** The server's log no longer reaches back to the token, or is not the log that it is of. */
function isExpired(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  const { origin, code } = readFailure(error);
  return origin === "api" && code === Code.OutOfRange;
}

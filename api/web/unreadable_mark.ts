import type { ConnectError } from "@connectrpc/connect";
import { type UnreadableReason, unreadableRequest } from "../unreadable_request.ts";

/** Set on a request whose message was taken out, with the reason; never by a caller. */
const REASON = "x-mpc-unreadable";

/** What is wrong with it, for people. */
const WHY = "x-mpc-unreadable-why";
const MAX_WHY = 300;

/** What makes a request unreadable. */
export interface Unreadable {
  readonly reason: UnreadableReason;
  readonly why: string;
}

/** Headers that a caller sent, without marks. */
export function unmarked(headers: Headers): Headers {
  const result = new Headers(headers);
  result.delete(REASON);
  result.delete(WHY);
  return result;
}

/** Marks a request as not to be answered. */
export function mark(headers: Headers, { reason, why }: Unreadable): void {
  headers.set(REASON, reason);
  headers.set(WHY, encodeURIComponent(why.slice(0, MAX_WHY).toWellFormed()));
}

/** What the caller of a marked request is told; nothing where there is no mark. */
export function markedError(headers: Headers): ConnectError | undefined {
  const reason = headers.get(REASON);
  if (reason === null) return undefined;
  return unreadableRequest(
    reason as UnreadableReason,
    decodeURIComponent(headers.get(WHY) ?? ""),
  );
}

import type { Instant } from "@mpc/domain";
import type { Answer } from "./post.ts";

/** What an answer means for an event. */
export type Outcome =
  | { readonly kind: "delivered" }
  /** Nobody wants events here any more. */
  | { readonly kind: "gone" }
  /** This event will never be taken. */
  | { readonly kind: "rejected"; readonly message: string }
  | {
    readonly kind: "failed";
    readonly message: string;
    /** How long the receiver asks to be left alone; 0 if it does not ask. */
    readonly pauseMs: number;
  };

/** Says that the content of the event is wrong, which a repetition does not change. */
const REJECTED = new Set([400, 413, 415, 422]);

/** The longest pause that a receiver can ask for. */
export const MAX_PAUSE_MS = 3_600_000;

/** @param now the time of the answer, by which a date in `Retry-After` is understood */
export function outcomeOf({ status, retryAfter }: Answer, now: Instant): Outcome {
  if (status >= 200 && status < 300) return { kind: "delivered" };
  if (status === 410) return { kind: "gone" };
  const message = status >= 300 && status < 400
    ? `The receiver answers with the status ${status}; redirects are not followed`
    : `The receiver answers with the status ${status}`;
  if (REJECTED.has(status)) return { kind: "rejected", message };
  return { kind: "failed", message, pauseMs: pauseOf(retryAfter, now) };
}

/** The pause in a `Retry-After`, as seconds or as a date (RFC 9110, 10.2.3). */
function pauseOf(retryAfter: string | undefined, now: Instant): number {
  const text = retryAfter?.trim() ?? "";
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), MAX_PAUSE_MS);
}

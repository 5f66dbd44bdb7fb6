import type { Event } from "./event.ts";
import type { Instant } from "./time.ts";

export const EVENT_SINK_STATES = ["ACTIVE", "RETRYING", "GONE", "REMOVED"] as const;

/**
 * `RETRYING`: deliveries fail and are retried. `GONE`: the receiver answered 410, and nothing is sent
 * until a dead letter that is sent again is accepted, or the sink's URL changes. `REMOVED`: the file
 * of sinks no longer has it.
 */
export type EventSinkState = (typeof EVENT_SINK_STATES)[number];

/** A failed delivery, without anything that the receiver sent besides its status. */
export interface DeliveryError {
  readonly time: Instant;
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number;
  readonly message: string;
}

/** How far the events of the log have been delivered to a receiver; written by the process that delivers. */
export interface EventSink {
  /** `eventSinks/{sink}` */
  readonly name: string;
  /** Scheme, host and port of the receiver: the rest of a URL may be a secret. */
  readonly origin: string;
  readonly filter: string;
  readonly state: EventSinkState;
  /** Every event up to this sequence is delivered, dead or left out by the filter. */
  readonly position: number;
  readonly createTime: Instant;
  readonly updateTime: Instant;
  readonly lastDeliveryTime: Instant | null;
  /** The failure of the last attempt that failed; null before the first one. */
  readonly lastError: DeliveryError | null;
  /** When the next failed delivery is tried again; null if none waits. */
  readonly nextAttemptTime: Instant | null;
  /** SHA-256 of the URL that answered 410, in hexadecimal; null unless the state is `GONE`. */
  readonly goneUrlHash: string | null;
}

/** An event that could not be delivered. */
export interface DeadLetter {
  /** `eventSinks/{sink}/deadLetters/{sequence}`, the sequence with 16 digits. */
  readonly name: string;
  readonly event: Event;
  readonly attempts: number;
  readonly error: DeliveryError;
  readonly createTime: Instant;
  /** When somebody asked to send it again; null while nobody has. */
  readonly resendTime: Instant | null;
}

export const eventSinkName = (sink: string): string => `eventSinks/${sink}`;

/** The beginning of the names of a sink's dead letters. */
export const deadLettersOf = (sinkName: string): string => `${sinkName}/deadLetters/`;

export const deadLetterName = (sinkName: string, sequence: number): string =>
  `${deadLettersOf(sinkName)}${String(sequence).padStart(16, "0")}`;

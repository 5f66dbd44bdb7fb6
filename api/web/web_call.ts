import { type ConnectError, type ContextValues, createContextValues } from "@connectrpc/connect";
import { type HttpHandler, PEER_CERTIFICATE, type PeerCertificate, SOURCE } from "@mpc/process";
import type { Peer } from "../connections/peers.ts";
import { unreadableRequest } from "../unreadable_request.ts";

/**
 * What a request counts for until its body has been read, besides the body's bytes. It costs up to
 * twice as much (measured), but mostly for a moment only, and a peer alone may begin 500 at once.
 */
const UNREAD_BYTES = 32 * 1024;

/** The client of a connection. */
export interface Client {
  readonly peer: Peer;
  /** Its IP address. */
  readonly source: string;
  /** Its verified certificate; null if it has presented none. */
  readonly certificate: PeerCertificate | null;
}

/** What methods and interceptors know about the client of their call. */
export const clientValues = ({ source, certificate }: Omit<Client, "peer">): ContextValues =>
  createContextValues().set(SOURCE, source).set(PEER_CERTIFICATE, certificate);

/** A request whose connection is known. */
export interface WebCall extends Client {
  /** Reports that its body has been read. */
  received(): void;
  /** Closes the connection once its calls are answered, so that the rest of a body is not read. */
  closeAfter(): void;
  /**
   * Counts the call as running, and `bytes` as held, until its response has been sent.
   * @returns false if the peer already holds too much
   */
  untilSent(bytes: number): boolean;
  /** Settles when the response has been sent, or cannot be sent. */
  readonly sent: Promise<unknown>;
  /** Ends the connection at once. */
  cut(): void;
}

/** A call, and the resources that it takes from its peer. */
export class RunningCall implements WebCall {
  readonly peer: Peer;
  readonly source: string;
  readonly certificate: PeerCertificate | null;
  readonly cut: () => void;
  readonly #info: Parameters<HttpHandler>[1];
  readonly #onEnd: (close: boolean) => void;
  #close = false;
  #held = UNREAD_BYTES;
  #unread = true;
  #waits = false;

  constructor(
    { peer, source, certificate }: Client,
    info: Parameters<HttpHandler>[1],
    cut: () => void,
    onEnd: (close: boolean) => void,
  ) {
    this.peer = peer;
    this.source = source;
    this.certificate = certificate;
    this.cut = cut;
    this.#info = info;
    this.#onEnd = onEnd;
  }

  get sent(): Promise<unknown> {
    return this.#info.completed.catch(() => {});
  }

  received(): void {
    if (!this.#unread) return;
    this.#unread = false;
    this.#held -= UNREAD_BYTES;
    this.peer.bytes.give(UNREAD_BYTES);
  }

  closeAfter(): void {
    this.#close = true;
  }

  untilSent(bytes: number): boolean {
    if (!this.peer.bytes.take(bytes)) return false;
    this.#held += bytes;
    if (!this.#waits) {
      this.#waits = true;
      const end = () => this.#end();
      this.#info.completed.then(end, end);
    }
    return true;
  }

  /** Ends the call, unless it waits until its response has been sent. */
  answered(waitUntilSent: boolean): void {
    this.received();
    if (waitUntilSent) this.untilSent(0);
    if (!this.#waits) this.#end();
  }

  #end(): void {
    this.peer.bytes.give(this.#held);
    this.peer.calls.give(1);
    this.#onEnd(this.#close);
  }
}

/** Takes the resources for a new call. */
export function takeCall({ calls, bytes }: Peer): boolean {
  if (!calls.take(1)) return false;
  if (bytes.take(UNREAD_BYTES)) return true;
  calls.give(1);
  return false;
}

/** The error of a call for which its peer already holds too much. */
export const tooMuchAtOnce = (verb: "sends" | "takes"): ConnectError =>
  unreadableRequest(
    "TOO_MUCH_AT_ONCE",
    `its caller ${verb} more at once than the server can hold`,
  );

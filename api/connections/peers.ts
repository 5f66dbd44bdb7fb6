import { FairShare, type Share } from "./fair_share.ts";
import { FairTurns, type PeerTurns } from "./fair_turns.ts";

/** Limits that all connections of a door share. */
export interface PeerLimits {
  readonly maxConnections: number;
  /** Bytes kept in memory for connections: incomplete requests and unread responses. */
  readonly maxHeldBytes: number;
  /** Calls that run at once. */
  readonly maxCalls: number;
  /** Calls and messages that a peer may start in one turn, while turns are short. */
  readonly workPerTurn: number;
}

export const DEFAULT_PEER_LIMITS: PeerLimits = {
  maxConnections: 2_500,
  maxHeldBytes: 32 * 1024 * 1024,
  maxCalls: 4_000,
  workPerTurn: 64,
};

/** The resources that the connections from one address use. */
export interface Peer {
  readonly address: string;
  readonly connections: Share;
  readonly bytes: Share;
  readonly calls: Share;
  readonly turns: PeerTurns;
}

/** The connected peers, and the limits that they share. */
export class Peers {
  readonly #connections: FairShare;
  readonly #bytes: FairShare;
  readonly #calls: FairShare;
  readonly #turns: FairTurns;
  readonly #peers = new Map<string, Peer>();

  constructor(limits: PeerLimits = DEFAULT_PEER_LIMITS) {
    this.#connections = new FairShare(limits.maxConnections);
    this.#bytes = new FairShare(limits.maxHeldBytes);
    this.#calls = new FairShare(limits.maxCalls);
    this.#turns = new FairTurns(limits.workPerTurn);
  }

  /**
   * Counts a connection. Call `disconnect` when it has closed.
   * @returns undefined if the peer already has its fair share of connections
   */
  connect(address: string): Peer | undefined {
    const key = peerKey(address);
    const peer = this.#peers.get(key) ?? this.#create(key);
    if (!peer.connections.take(1)) return undefined;
    this.#peers.set(key, peer);
    return peer;
  }

  disconnect(peer: Peer): void {
    peer.connections.give(1);
    if (peer.connections.held === 0) this.#peers.delete(peer.address);
  }

  #create(address: string): Peer {
    return {
      address,
      connections: this.#connections.share(),
      bytes: this.#bytes.share(),
      calls: this.#calls.share(),
      turns: this.#turns.peer(),
    };
  }

  /** The number of connections of all peers. */
  get connected(): number {
    return this.#connections.used;
  }
}

/** The addresses of one subscriber: an IPv4 address, or the first 64 bits of an IPv6 address. */
export function peerKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("%")[0]!.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(Math.max(0, zeros)).fill("0"), ...after];
  return groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(":");
}

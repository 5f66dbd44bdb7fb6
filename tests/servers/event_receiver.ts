import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import { CloudEvent, HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";

/** How a receiver answers a request; `cut` closes the connection, `hang` never answers. */
export type Reply = number | "cut" | "hang" | {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
};

export interface Received {
  /** As the CloudEvents SDK reads and validates it. */
  readonly event: CloudEvent<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A secret as sinks and receivers have it. */
export const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;

/** A real HTTP server that takes CloudEvents, and verifies them with the libraries of others. */
export class EventReceiver implements AsyncDisposable {
  readonly received: Received[] = [];
  /** What was wrong with requests, by the judges. */
  readonly problems: unknown[] = [];
  /** Answers a request; `attempt` counts the attempts of its event from 1. */
  reply: (received: Received, attempt: number) => Reply | Promise<Reply> = () => 204;
  readonly #server = createServer((request, response) => {
    this.#take(request, response).catch((error) => {
      // A sender that was killed in the middle of a request has sent nothing to judge.
      if (error.code === "ECONNRESET") return;
      this.problems.push(error);
      response.writeHead(500).end();
    });
  });
  #waiting: (() => void)[] = [];

  readonly #hanging: { readonly id: string; readonly resolve: () => void }[] = [];

  static async start(): Promise<EventReceiver> {
    const receiver = new EventReceiver();
    receiver.#server.listen(0, "127.0.0.1");
    await once(receiver.#server, "listening");
    return receiver;
  }

  get url(): string {
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("it does not listen");
    return `http://127.0.0.1:${address.port}/hooks?key=planted-key`;
  }

  /** The subjects and sequences of what was received, in order. */
  get sequences(): readonly number[] {
    return this.received.map(({ event }) => Number(event["sequence"]));
  }

  /** Resolves when so many requests were received. */
  async arrived(count: number): Promise<void> {
    while (this.received.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves when the receiver decides not to answer a request for an event. */
  hangs(id: string): Promise<void> {
    return new Promise((resolve) => this.#hanging.push({ id, resolve }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    new Webhook(SECRET).verify(body, headers);
    const event = HTTP.toEvent<Record<string, unknown>>({ headers, body });
    if (Array.isArray(event)) throw new Error("a batch");
    const cloudEvent = new CloudEvent(event, true);
    const received = { event: cloudEvent, headers, body };
    this.received.push(received);
    const attempt = this.received.filter((other) => other.event.id === cloudEvent.id).length;
    const reply = this.reply(received, attempt);
    for (const wake of this.#waiting.splice(0)) wake();
    const wanted = await reply;
    if (wanted === "hang") {
      for (const { id, resolve } of this.#hanging) if (id === cloudEvent.id) resolve();
      return;
    }
    if (wanted === "cut") {
      request.socket.destroy();
      return;
    }
    const { status, headers: sent } = typeof wanted === "number"
      ? { status: wanted, headers: {} }
      : wanted;
    response.writeHead(status, sent).end();
  }
}

/** A platform and the dashboard over its API, for tests of pages. */
import assert from "node:assert/strict";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { type AllInOne, startAllInOne } from "@mpc/api";
import { connectBy } from "@mpc/client";
import { EnvironmentService, type Operation, OperationService, WorkloadService } from "@mpc/proto";
import { createDashboard, type Dashboard, type ViewerClient } from "@mpc/ui";
import { parseHTML } from "linkedom";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";

/** A page as a browser has it. */
export interface ShownPage {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  readonly document: Document;
  /** The text of the page's own content, with single spaces. */
  readonly text: string;
}

/** Answers calls in place of the API: with an error, or with a message of its own. */
export type Answer = (method: DescMethod, request: unknown) => unknown;

export class UiWorld implements AsyncDisposable {
  readonly platform: AllInOne;
  dashboard: Dashboard<ViewerClient>;
  readonly #transport: Transport;
  /** Asked before each call of a page; undefined lets the call pass. */
  answer: Answer = () => undefined;
  /** The names of the methods that pages have called. */
  readonly calls: string[] = [];
  /** What the dashboard takes for the time; the machine's by default. */
  now: () => number = () => Date.now();

  private constructor(platform: AllInOne) {
    this.platform = platform;
    const { host, port } = platform.webAddress;
    this.#transport = createGrpcWebTransport({ baseUrl: `http://${host}:${port}` });
    this.dashboard = this.#newDashboard();
  }

  /** Begins with a dashboard that knows nothing of the one before. */
  restart(): void {
    this.dashboard.close();
    this.dashboard = this.#newDashboard();
  }

  #newDashboard(): Dashboard<ViewerClient> {
    return createDashboard({
      connectAs: () => connectBy(this.#answering()),
      now: () => this.now(),
      secure: false,
    });
  }

  static async open(): Promise<UiWorld> {
    return new UiWorld(await startAllInOne(QUIET_CONFIG));
  }

  client<Service extends DescService>(service: Service): Client<Service> {
    return createClient(service, this.#transport);
  }

  /** Requests a page. */
  async page(path: string, headers: Readonly<Record<string, string>> = {}): Promise<ShownPage> {
    const response = await this.request(path, { headers: { accept: "text/html", ...headers } });
    const html = await response.text();
    const { document } = parseHTML(html);
    const text = (document.getElementById("main")?.textContent ?? "").replace(/\s+/g, " ").trim();
    return { status: response.status, headers: response.headers, html, document, text };
  }

  request(path: string, init: RequestInit = {}): Promise<Response> {
    const request = new Request(new URL(path, "http://localhost"), init);
    return this.dashboard.pages(request, { source: "127.0.0.1" });
  }

  /** Creates an environment and waits until it is ready. */
  async createEnvironment(environmentId: string, environment: object = {}): Promise<Operation> {
    const admitted = await this.client(EnvironmentService)
      .createEnvironment({ environmentId, environment });
    return await this.ended(admitted);
  }

  /** Deploys a workload and waits until the operation has ended. */
  async deploy(environment: string, workloadId: string, spec: object = {}): Promise<Operation> {
    const admitted = await this.client(WorkloadService).deployWorkload({
      parent: `environments/${environment}`,
      workloadId,
      workload: { spec: { image: "nginx:1.27", replicas: 2, ...spec } },
    });
    return await this.ended(admitted);
  }

  async ended({ name }: Operation): Promise<Operation> {
    const operation = await this.client(OperationService).waitOperation({ name });
    assert.ok(operation.done, `${name} has ended`);
    return operation;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dashboard.close();
    await this.platform.close();
  }

  #answering(): Transport {
    const answerTo = (method: DescMethod, request: unknown) => {
      this.calls.push(method.name);
      const answer = this.answer(method, request);
      if (answer instanceof Error) throw answer;
      return answer;
    };
    return {
      unary: async (method, signal, timeoutMs, header, input, values) => {
        const message = answerTo(method, input);
        const transport = this.#transport;
        if (message === undefined) {
          return await transport.unary(method, signal, timeoutMs, header, input, values);
        }
        return {
          stream: false,
          service: method.parent,
          method,
          header: new Headers(),
          trailer: new Headers(),
          message: message as never,
        };
      },
      stream: async (method, ...rest) => {
        answerTo(method, undefined);
        return await this.#transport.stream(method, ...rest);
      },
    };
  }
}

/** Fails every call of the methods with an error, as an API that is away does. */
export const failing = (error: ConnectError, ...names: readonly string[]): Answer => ({ name }) =>
  names.length === 0 || names.includes(name) ? error : undefined;

/** What a call fails with while no server answers. */
export const away = (): ConnectError =>
  new ConnectError("the server cannot be reached", Code.Unavailable);

/** Registers a test with a platform of its own. */
export function uiTest(title: string, run: (world: UiWorld) => Promise<void>): void {
  Deno.test({
    name: title,
    // Fetch keeps connections in its own pool.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      await using world = await UiWorld.open();
      await run(world);
    },
  });
}

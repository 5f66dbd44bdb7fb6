import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@mpc/proto";

/** Whether the server takes calls, for those who ask by the standard health service. */
export class HealthStatus {
  readonly #services: ReadonlySet<string>;
  readonly #stopping = new AbortController();

  /** @param services full names; the empty name stands for the whole server */
  constructor(services: readonly string[]) {
    this.#services = new Set(["", ...services]);
  }

  /** From now on no calls are taken. */
  stop(): void {
    this.#stopping.abort();
  }

  get serving(): boolean {
    return !this.#stopping.signal.aborted;
  }

  /** The health service (grpc.health.v1). */
  implementation(): ServiceImpl<typeof Health> {
    const statusOf = (service: string) =>
      !this.#services.has(service)
        ? Status.SERVICE_UNKNOWN
        : this.serving
        ? Status.SERVING
        : Status.NOT_SERVING;
    const stopping = this.#stopping.signal;
    return {
      check({ service }) {
        const status = statusOf(service);
        if (status !== Status.SERVICE_UNKNOWN) return { status };
        throw new ConnectError(`there is no service '${service}'`, Code.NotFound);
      },
      async *watch({ service }, { signal }) {
        yield { status: statusOf(service) };
        await aborted(AbortSignal.any([signal, stopping]));
        if (stopping.aborted) yield { status: statusOf(service) };
      },
    };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

import type { ServiceImpl } from "@connectrpc/connect";
import { MpcError } from "@mpc/domain";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@mpc/proto";
import { toApiError } from "./error_codes.ts";

/** Whether the server accepts calls, for the standard health service. */
export class HealthStatus {
  readonly #services: ReadonlySet<string>;
  readonly #stopping = new AbortController();

  /** @param services full names; the empty name stands for the whole server */
  constructor(services: readonly string[]) {
    this.#services = new Set(["", ...services]);
  }

  /** Reports that calls are not accepted any more. */
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
        throw toApiError(
          new MpcError("NOT_FOUND", {
            reason: "SERVICE_NOT_FOUND",
            message: `Cannot tell the health of '${service}': there is no such service`,
          }),
        );
      },
      list: () => ({
        statuses: Object.fromEntries(
          [...this.#services].map((service) => [service, { status: statusOf(service) }]),
        ),
      }),
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

import { readFile } from "node:fs/promises";
import type { Clock } from "@mpc/services";
import { CLOUD_EVENT_TYPE } from "./cloud_event.ts";
import { DeliveryFailure } from "./delivery_failure.ts";
import { type Answer, post } from "./post.ts";
import { checkedAddresses, resolveHost } from "./safe_address.ts";
import { readSecrets, signatureHeaders } from "./sign.ts";
import type { AllowedTarget, SinkSettings } from "./sinks_file.ts";

export interface SendRequest {
  readonly sink: SinkSettings;
  readonly allow: readonly AllowedTarget[];
  /** The same in every attempt, so that receivers recognize duplicates. */
  readonly id: string;
  readonly body: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Sends an event once. Secrets, certificates and addresses are read anew for each attempt, since all
 * of them change.
 * @throws {DeliveryFailure} if there is no answer
 */
export async function sendEvent(
  { sink, allow, id, body, clock, signal }: SendRequest,
): Promise<Answer> {
  const secrets = await readSecrets(sink.secretFile);
  const seconds = Math.floor(clock.now() / 1_000);
  return await post({
    url: sink.url,
    addresses: await checkedAddresses(sink.url.hostname, allow, resolveHost),
    headers: {
      "content-type": CLOUD_EVENT_TYPE,
      "user-agent": "mpc-events-out",
      ...signatureHeaders({ id, seconds, body }, secrets),
    },
    body,
    timeoutMs: sink.timeout,
    ca: await readCertificates(sink.caFile),
    clock,
    signal,
  });
}

async function readCertificates(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new DeliveryFailure(`Cannot read the certificate file '${path}'`, { cause: error });
  }
}

import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { connect } from "node:tls";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import type { TlsFiles } from "./tls_fetch.ts";

/** The channel of a `grpcs://` address. */
export function secureChannel({ hostname }: URL, files: TlsFiles): ChannelCredentials {
  const { ca, certificate, key } = files;
  const bytes = (pem: string | undefined) => pem === undefined ? null : Buffer.from(pem);
  const channel = credentials.createSsl(bytes(ca), bytes(key), bytes(certificate));
  const host = hostname.replace(/^\[|\]$/g, "");
  if (isIP(host)) connectWithoutName(channel, host, files);
  return channel;
}

/**
 * Makes a channel connect to an IP address without a server name, which must not be an address (RFC
 * 6066, section 3): grpc-js sends one, and Deno refuses to. The server's certificate must then be
 * for the address.
 */
function connectWithoutName(
  channel: ChannelCredentials,
  host: string,
  { ca, certificate, key }: TlsFiles,
): void {
  const bare = channel._createSecureConnector.bind(channel);
  channel._createSecureConnector = (...target) => {
    const connector = bare(...target);
    return {
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
      connect: (socket) =>
        new Promise((resolve, reject) => {
          const secured = connect({
            ...{ socket, host, ALPNProtocols: ["h2"] },
            ...(ca !== undefined && { ca }),
            ...(certificate !== undefined && { cert: certificate }),
            ...(key !== undefined && { key }),
          }, () => resolve({ socket: secured, secure: true }));
          secured.on("error", reject);
        }),
    };
  };
}

import { BaseServerInterceptingCall } from "@grpc/grpc-js/server-interceptors";
import { statusOf } from "./status.ts";
import { unreadableRequest } from "../unreadable_request.ts";

interface Decompression {
  readonly incomingEncoding: string;
  decompressMessage(message: Uint8Array, encoding: string): unknown;
}

/** Encodings that grpc-js supports. */
const ENCODINGS = new Set(["identity", "gzip", "deflate"]);

/**
 * Makes grpc-js refuse what it would take for a message ("Compression in gRPC"): compressed ones
 * of a call without an encoding, and all of a call whose encoding it does not know.
 */
export function refuseUnknownCompression(): void {
  const calls = Reflect.get(BaseServerInterceptingCall, "prototype") as unknown as Decompression;
  const { decompressMessage } = calls;
  calls.decompressMessage = function (message, encoding) {
    if (!ENCODINGS.has(this.incomingEncoding)) {
      const why = "its encoding is none of gzip and deflate";
      return Promise.reject(statusOf(unreadableRequest("UNSUPPORTED_ENCODING", why)));
    }
    if (message[0] !== 0 && encoding === "identity") {
      const why = "a message is compressed and the call has no grpc-encoding";
      return Promise.reject(statusOf(unreadableRequest("UNEXPECTED_COMPRESSION", why)));
    }
    return decompressMessage.call(this, message, encoding);
  };
}

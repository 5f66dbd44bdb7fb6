import type { ServerInterceptingCall } from "@grpc/grpc-js";
import type { PeerCertificate } from "@mpc/process";

type AuthContext = ReturnType<ServerInterceptingCall["getAuthContext"]>;

const CERTIFICATES = new WeakMap<AuthContext, PeerCertificate>();

/**
 * Gives a call the verified certificate of its client. grpc-js would take it from a TLS socket, but
 * there is a frame guard between the two.
 */
export function withCertificate(
  call: ServerInterceptingCall,
  certificate: PeerCertificate | null,
): ServerInterceptingCall {
  if (certificate === null) return call;
  const context: AuthContext = { transportSecurityType: "ssl" };
  CERTIFICATES.set(context, certificate);
  call.getAuthContext = () => context;
  return call;
}

/** The verified certificate of a call's client; null if it has presented none. */
export const certificateOf = (call: Pick<ServerInterceptingCall, "getAuthContext">) =>
  CERTIFICATES.get(call.getAuthContext()) ?? null;

const GRPC = /^(\d{1,8})([HMSmun])$/;

/** What each protocol's header for deadlines looks like. */
const FORMATS: Readonly<Record<string, RegExp>> = {
  "grpc-timeout": GRPC,
  "connect-timeout-ms": /^\d{1,10}$/,
};

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** The header that should say how long a call may take and does not; undefined where all is well. */
export function wrongTimeout(headers: Headers): string | undefined {
  return Object.keys(FORMATS).find((name) => {
    const value = headers.get(name);
    return value !== null && !FORMATS[name]!.test(value);
  });
}

/** What a gRPC-Web caller gives its call; undefined where it does not say. */
export function grpcTimeoutMs(headers: Headers): number | undefined {
  const match = GRPC.exec(headers.get("grpc-timeout") ?? "");
  return match ? Number(match[1]) * UNIT_MS[match[2]!]! : undefined;
}

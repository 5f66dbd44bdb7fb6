import { generate } from "selfsigned";

/** A certificate and its private key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface KubeUser {
  readonly name: string;
  readonly groups?: readonly string[];
  /** When the certificate expires; in an hour by default. May be in the past. */
  readonly notAfter?: Date;
}

/** Signs the certificates of one cluster: those of its servers and of its users. */
export interface KubeAuthority {
  readonly cert: string;
  /** For servers on loopback. */
  server(): Promise<Certificate>;
  /** For a user, whom the API server knows by the common name and the organizations. */
  user(user: KubeUser): Promise<Certificate>;
}

const HOUR_MS = 3_600_000;
const KEYS = { keyType: "ec", algorithm: "sha256" } as const;

/** Creates an authority for one cluster, valid for an hour. */
export async function createKubeAuthority(): Promise<KubeAuthority> {
  const own = await generate([{ name: "commonName", value: "mpc-test" }], {
    ...KEYS,
    ...validity(),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, digitalSignature: true, critical: true },
    ],
  });
  const ca = { cert: own.cert, key: own.private };
  const sign = async (
    subject: readonly { name: string; value: string }[],
    options: Parameters<typeof generate>[1],
  ) => {
    const { cert, private: key } = await generate([...subject], { ...KEYS, ca, ...options });
    return { cert, key };
  };
  return {
    cert: own.cert,
    server: () =>
      sign([{ name: "commonName", value: "localhost" }], {
        ...validity(),
        extensions: [
          { name: "extKeyUsage", serverAuth: true },
          {
            name: "subjectAltName",
            // Another address of this machine is another host for Deno's permissions.
            altNames: [
              { type: 2, value: "localhost" },
              ...["127.0.0.1", "127.0.0.2"].map((ip) => ({ type: 7 as const, ip })),
            ],
          },
        ],
      }),
    user: ({ name, groups = [], notAfter }) =>
      sign(
        [
          { name: "commonName", value: name },
          ...groups.map((value) => ({ name: "organizationName", value })),
        ],
        { ...validity(notAfter), extensions: [{ name: "extKeyUsage", clientAuth: true }] },
      ),
  };
}

function validity(notAfter = new Date(Date.now() + HOUR_MS)) {
  return { notBeforeDate: new Date(notAfter.getTime() - 2 * HOUR_MS), notAfterDate: notAfter };
}

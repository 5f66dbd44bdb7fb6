import { generate } from "selfsigned";
import type { Certificate } from "./kube_authority.ts";

/**
 * A certificate for this machine's loopback addresses, valid for an hour.
 * @param options.authority the certificate authority that signs it, in place of itself
 * @param options.host the only name in it, in place of those addresses
 * @param options.expired whether its hour is over
 */
export async function loopbackCertificate(
  options: {
    readonly authority?: Certificate;
    readonly host?: string;
    readonly expired?: boolean;
  } = {},
): Promise<Certificate> {
  const { authority, host, expired = false } = options;
  const end = Date.now() + (expired ? -3_600_000 : 3_600_000);
  const pems = await generate([{ name: "commonName", value: "localhost" }], {
    ...(authority ? { keyType: "ec" } : { keySize: 2048 }),
    algorithm: "sha256",
    ...(authority && { ca: { ...authority } }),
    notBeforeDate: new Date(end - 7_200_000),
    notAfterDate: new Date(end),
    extensions: [{
      name: "subjectAltName",
      altNames: host === undefined
        ? [{ type: 2, value: "localhost" }, { type: 7, ip: "127.0.0.1" }]
        : [{ type: 2, value: host }],
    }],
  });
  return { cert: pems.cert, key: pems.private };
}

/** A certificate authority. */
export async function certificateAuthority(): Promise<Certificate> {
  const pems = await generate([{ name: "commonName", value: "a test's own authority" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [{ name: "basicConstraints", cA: true, critical: true }, {
      name: "keyUsage",
      keyCertSign: true,
      critical: true,
    }],
  });
  return { cert: pems.cert, key: pems.private };
}

/** The etag of one version of a resource (AIP-154): opaque, and different for every uid. */
export const etagOf = (uid: string, version: number): string => `${uid.slice(-12)}-${version}`;

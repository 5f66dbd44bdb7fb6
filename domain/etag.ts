/** The etag of one version of a resource (AIP-154): opaque, and never the same for two uids. */
export const etagOf = (uid: string, version: number): string => `${uid.slice(-12)}-${version}`;

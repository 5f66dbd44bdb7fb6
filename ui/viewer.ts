import type { Connection } from "@mpc/client";

/** Where the requests of a viewer come from, as the door knows. */
export interface ViewerClient {
  /** The IP address. */
  readonly source: string;
}

/** Whose credentials the calls of a page carry. */
export interface Viewer {
  /** The bearer token of a session; undefined for a viewer who has not signed in. */
  readonly token: string | undefined;
}

/** Makes clients of the API that call on behalf of a viewer. */
export type ConnectAs<Client extends ViewerClient = ViewerClient> = (
  viewer: Viewer,
  client: Client,
) => Connection;

/** What clients need in order to sign in. It is told to everybody. */
export interface SignIn {
  readonly issuers: readonly SignInIssuer[];
  readonly tokensAccepted: boolean;
  readonly clientCertificatesAccepted: boolean;
  /** Whether calls without credentials are refused. */
  readonly credentialsRequired: boolean;
}

/** An OIDC issuer whose tokens are accepted. */
export interface SignInIssuer {
  readonly name: string;
  readonly issuer: string;
  /** The public client of programs; empty if they cannot sign in there. */
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Empty if it is the client id. */
  readonly audience: string;
}

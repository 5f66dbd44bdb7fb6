/** What mpctl may do where Deno runs it: no more than it needs. */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  // Servers, files and the profiles' file are the person's choice.
  "--allow-net",
  "--allow-read",
  "--allow-write",
  `--allow-env=${
    [
      ...["MPC_SERVER", "MPC_OUTPUT", "MPC_ENVIRONMENT", "MPC_PROFILE", "MPC_CONFIG"],
      ...["XDG_CONFIG_HOME", "HOME", "APPDATA"],
      ...["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM", "CI"],
      // Read by the YAML parser.
      ...["LOG_STREAM", "LOG_TOKENS"],
      // Read by grpc-js, for `grpc://` addresses.
      ...["grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy"],
      ...["GRPC_*"],
    ].join(",")
  }`,
];

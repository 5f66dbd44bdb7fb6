/** Messages and services between the platform's own processes, by `deno task gen`. */
export * from "./gen/mpc/internal/v1/cluster_pb.ts";

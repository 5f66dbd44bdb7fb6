/**
 * Lists environments with one call, without a CLI library, for comparison with `mpctl env list`.
 */
import process from "node:process";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EnvironmentService } from "@mpc/proto";

const transport = createGrpcWebTransport({ baseUrl: process.argv[2] ?? "", useBinaryFormat: true });
const { environments } = await createClient(EnvironmentService, transport).listEnvironments({});
for (const { name } of environments) console.log(name);

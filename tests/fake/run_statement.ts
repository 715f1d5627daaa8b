/** A client to be killed: `run_statement.ts PORT USER PASSWORD STATEMENT`. */
import { WireClient } from "../support/wire_client.ts";

const [port, user, password, statement] = Deno.args;

const client = await WireClient.connect({
  port: Number(port),
  user: user!,
  password: password!,
});
await client.run(statement!);
await client.quit();

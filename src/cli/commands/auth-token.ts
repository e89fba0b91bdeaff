import { RegistryError, traceAccess } from "../../index.ts";
import type { Run } from "../command.ts";
import { parseWish } from "../login-place.ts";
import { asHeader, forPush } from "../login-options.ts";

export const run: Run<[reference: string]> = async ([reference], { get, client, out, signal }) => {
  const wish = parseWish(reference, get(forPush));
  const { host } = wish;
  const { admission } = await client({ from: [reference] });
  const trace = await traceAccess(admission, wish, signal);
  if (trace.refused) throw trace.refused;
  const header = trace.authorization?.reveal();
  if (header === undefined) {
    throw new RegistryError("UNSUPPORTED", `${host} asks for no credentials: there is no token`, { host });
  }
  if (get(asHeader)) return out.document(Buffer.from(`Authorization: ${header}\n`));
  const token = /^Bearer (.*)$/.exec(header)?.[1];
  if (token === undefined) {
    throw new RegistryError("UNSUPPORTED", `${host} knows no tokens: it wants user and password`, {
      host,
      hint: "say --as-header for what requests carry",
    });
  }
  return out.document(Buffer.from(`${token}\n`));
};

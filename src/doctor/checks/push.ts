import { covers, type Scopes } from "../../auth/scopes.ts";
import { isRegistryError } from "../../oci/error.ts";
import type { Bench } from "../context.ts";
import { fine, skipped, warning, type Diagnosis } from "../diagnosis.ts";
import type { Place } from "../place.ts";
import { obtain, type Login } from "../token.ts";

/** Whether the place may be pushed to, as far as that is known without writing: by what a token grants. */
export async function checkPush(place: Place, login: Login, bench: Bench): Promise<Diagnosis> {
  const { host, reference, registry } = place;
  const { api, credential } = login;
  const tell = `gantry doctor --write-check ${place.name}`;
  if (!reference) return skipped("push", "no repository was named", { host });
  const service = api.way?.bearer;
  if (!api.way || !service || credential?.kind === "bearer") {
    return skipped("push", "not known without writing", { host, command: tell });
  }
  const scopes: Scopes = new Map([[`repository:${reference.repository}`, new Set(["pull", "push"])]]);
  const lacking = warning("push", "this login may read, but not push", {
    host,
    cause: "the account was granted no more here, or its token is for reading only",
    command: `gantry login ${registry}`,
  });
  const anonymous = skipped("push", "not granted: nobody is logged in", { host, command: `gantry login ${registry}` });
  try {
    const { claims } = await obtain(service, api.url, { scopes, credential }, bench);
    if (claims?.access === undefined)
      return skipped("push", "not known without writing: what the token grants cannot be read", {
        host,
        command: tell,
      });
    if (covers(claims.access, scopes)) return fine("push", "granted by the token", { host });
    return credential ? lacking : anonymous;
  } catch (error) {
    if (!isRegistryError(error, "UNAUTHORIZED", "DENIED")) throw error;
    return credential ? lacking : anonymous;
  }
}

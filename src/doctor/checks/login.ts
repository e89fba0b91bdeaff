import type { Scopes } from "../../auth/scopes.ts";
import { withoutSecret } from "../../auth/credential.ts";
import type { TokenService } from "../../auth/token.ts";
import { checkPlain, checkRealm } from "../../auth/way.ts";
import { isRegistryError, type RegistryError } from "../../oci/error.ts";
import { isPrivate } from "../../transport/origin.ts";
import { ask } from "../ask.ts";
import { blame, evidenceAt, wordsOf } from "../blame.ts";
import type { Bench } from "../context.ts";
import { fault, fine, skipped, type Diagnosis, type Step } from "../diagnosis.ts";
import { pathOf, type Place } from "../place.ts";
import { advise, fill } from "../rules/rule.ts";
import { serviceRules } from "../rules/services.ts";
import { insecure, judgeToken, obtain, type Login } from "../token.ts";
import type { Api } from "./api.ts";
import { nameOf, userOf, type Chosen } from "./credential.ts";

/** Statuses by which a token service says that it does not take a login. */
const refusals: readonly number[] = [400, 401, 403];

/** Proves who we are as a command would: by a token for reading the place, or by the login itself. */
export async function checkLogin(place: Place, api: Api, { credential }: Chosen, bench: Bench): Promise<Step<Login>> {
  const { way } = api;
  const { host } = place;
  const known: Login = { api, ...(credential && { credential }) };
  if (!way) {
    const told = credential ? "the registry asks for no login: it is not sent" : "the registry asks for no login";
    return { told: [fine("login", told, { host })], known };
  }
  try {
    if (credential) checkPlain(api.url, insecure(bench));
    if (way.bearer) checkRealm(api.url, way.bearer.realm, credential !== undefined, insecure(bench));
  } catch (error) {
    return { told: [untrusted(error, place)] };
  }
  try {
    const told =
      way.bearer && credential?.kind !== "bearer"
        ? await byToken(way.bearer, place, known, bench)
        : await byLogin(place, known, bench);
    return told.some(({ verdict }) => verdict === "fault") ? { told } : { told, known };
  } catch (error) {
    if (bench.signal.aborted || !isRegistryError(error)) throw error;
    const isRefusal = error.status !== undefined && refusals.includes(error.status);
    return { told: [isRefusal ? refusal(error, place, known) : withoutToken(error, place)] };
  }
}

async function byToken(service: TokenService, place: Place, login: Login, bench: Bench): Promise<readonly Diagnosis[]> {
  const path = pathOf(place);
  const scopes: Scopes = new Map(path === "" ? [] : [[`repository:${path}`, new Set(["pull"])]]);
  const granted = await obtain(service, login.api.url, { scopes, credential: login.credential }, bench);
  return judgeToken(granted, { service, scopes, login }, place, bench);
}

/** The login or the token goes along with a request that needs nothing else. */
async function byLogin(place: Place, login: Login, bench: Bench): Promise<readonly Diagnosis[]> {
  const { host } = place;
  const { credential } = login;
  if (!credential) {
    // What is public may be read all the same.
    const unasked = "nobody is logged in, though the registry asks for it";
    return [place.reference ? skipped("login", unasked, { host }) : refusal(undefined, place, login)];
  }
  const answer = await ask(bench.transport, { method: "GET", url: new URL(`https://${host}/v2/`) }, bench);
  if (answer.status === 200) return [fine("login", `${nameOf(credential)} is let in`, { host })];
  if (answer.status === 404)
    return [skipped("login", "whether it is let in is not known: /v2/ does not say", { host })];
  const said = [answer.status, withoutSecret(wordsOf(answer), credential)].filter(Boolean).join(" ");
  const { status, text } = answer;
  return [refusal({ message: `${nameOf(credential)} is not let in: ${said}`, status, text }, place, login)];
}

interface Refused {
  readonly message: string;
  readonly status?: number;
  readonly text?: string;
}

/** What is said of a login that was refused, or that is missing; what the service takes for one is told. */
function refusal(refused: Refused | undefined, place: Place, { api, credential }: Login): Diagnosis {
  const { host, registry } = place;
  const { service } = api;
  const user = userOf(credential);
  const evidence = {
    ...evidenceAt("login", place),
    ...(service && { service: service.name }),
    ...(user !== undefined && { user }),
    ...(refused && { status: refused.status, text: refused.text ?? refused.message }),
  };
  const usual = credential
    ? "the password is wrong, was changed, or has expired"
    : "nobody is logged in, and the registry gives nothing to who is not";
  const { login } = service ?? {};
  const advice = advise(serviceRules, evidence) ?? {
    cause: login ? `${usual}; ${login.cause}` : usual,
    command: fill(login?.command ?? "gantry login {registry}", evidence),
  };
  return fault("login", refused?.message ?? `${registry} wants a login`, {
    code: "UNAUTHORIZED",
    host,
    ...(refused?.status !== undefined && { status: refused.status }),
    ...advice,
  });
}

/** A registry that would have logins sent where commands do not send them. */
function untrusted(error: unknown, place: Place): Diagnosis {
  const { hint, ...found } = { hint: isRegistryError(error) ? error.hint : undefined, ...blame("login", error, place) };
  const cause = "its external URL is set wrongly, or somebody on the way wants the login";
  return { ...found, cause: hint ? `${cause}; ${hint}` : cause, command: `curl -i https://${place.host}/v2/` };
}

/** No token came, for whatever reason but a refusal: often the service is named as it is known in another network. */
function withoutToken(error: RegistryError, place: Place): Diagnosis {
  const found = blame("login", error, place);
  const name = found.host ?? place.host;
  const look = `curl -i https://${place.host}/v2/`;
  if (error.code === "UNAUTHORIZED")
    return {
      ...found,
      cause: "what answers there is no token service: the registry names the wrong one",
      command: look,
    };
  if (error.code === "TOOMANYREQUESTS") return { ...found, cause: "a rate limit of the token service: wait a minute" };
  if (error.code === "UNAVAILABLE") return { ...found, cause: "the token service, or the proxy before it, is down" };
  if (name === place.host) return found;
  const hostname = name.replace(/:\d+$/, "");
  const internal = isPrivate(hostname) || /^[^.]+$|\.(?:local|internal|svc|lan|corp)$/.test(hostname);
  return {
    ...found,
    message: `its tokens come from ${name}: ${found.message}`,
    cause: internal
      ? "the registry names its token service as it is known inside its own network: its external URL is set wrongly"
      : (found.cause ?? "the token service is down, or the registry's external URL is set wrongly"),
    command: look,
  };
}

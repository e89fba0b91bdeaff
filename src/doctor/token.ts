import { covers, formatScopes, type Scopes } from "../auth/scopes.ts";
import { claimsOf, type Claims } from "../auth/claims.ts";
import type { Credential } from "../auth/credential.ts";
import { fetchToken, type TokenService } from "../auth/token.ts";
import { checkRealm } from "../auth/way.ts";
import type { IsInsecure } from "../transport/origin.ts";
import type { Api } from "./checks/api.ts";
import { plainText } from "../store/remote/answer.ts";
import type { Bench } from "./context.ts";
import { fine, warning, type Diagnosis } from "./diagnosis.ts";
import { clockAhead } from "./checks/clock.ts";
import { userOf, type Chosen } from "./checks/credential.ts";
import type { Place } from "./place.ts";

/** Who the registry takes us for. */
export interface Login extends Chosen {
  readonly api: Api;
}

/** What the settings say of hosts that may be spoken to in plain HTTP. */
export function insecure({ settingsOf }: Bench): IsInsecure {
  return (host) => Boolean(settingsOf(host).plainHttp || settingsOf(host).insecure);
}

/** A token, and what can be read in it. */
export interface Granted {
  readonly claims?: Claims;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** Fetches a token by the client's own rules: no login goes where the client would not send it. */
export async function obtain(
  service: TokenService,
  url: URL,
  asked: { readonly scopes: Scopes; readonly credential?: Credential | undefined },
  bench: Bench,
): Promise<Granted> {
  checkRealm(url, service.realm, asked.credential !== undefined, insecure(bench));
  const { clock, signal, network } = bench;
  const token = await fetchToken((request) => network({ ...request, signal }), service, asked, clock);
  const claims = claimsOf(token.text);
  return { ...(claims && { claims }), expires: claims?.expires ?? token.renewAt + 30_000 };
}

/** So much may the clocks of a registry and its token service differ. */
const tolerance = 10_000;

/** What a token comes to: what it grants of what was asked, to whom, and for how long. */
export function judgeToken(
  { claims, expires }: Granted,
  { service, scopes, login }: { readonly service: TokenService; readonly scopes: Scopes; readonly login: Login },
  { host, registry }: Place,
  { clock }: Bench,
): readonly Diagnosis[] {
  const { subject, access, notBefore } = claims ?? {};
  const all = access === undefined || covers(access, scopes);
  const wanted = formatScopes(scopes).join(" ");
  const grants =
    wanted && (access === undefined ? ` for ${wanted}` : ` ${all ? "grants" : "does not grant"} ${wanted}`);
  const message = `a token of ${service.realm.host}${grants}, good for ${seconds(expires - clock.now())}`;
  const why = login.credential ? "this account may not read it" : "nobody is logged in";
  const lacking = {
    host,
    cause: `${why}, or it does not exist: registries hide the difference`,
    command: `gantry login ${registry}`,
  };
  const theirs = clock.now() - (clockAhead(login.api.answer) ?? 0);
  const early = notBefore !== undefined && notBefore - theirs > tolerance;
  const stranger = subject === undefined ? undefined : strangerTo(userOf(login.credential), subject, login);
  return [
    all ? fine("login", message, { host }) : warning("login", message, lacking),
    ...(early ? [tooEarly(notBefore - theirs, service, host)] : []),
    ...(stranger ? [warning("login", stranger.message, { host, cause: stranger.cause })] : []),
  ];
}

function tooEarly(ms: number, { realm }: TokenService, host: string): Diagnosis {
  return warning("login", `the token is not valid for another ${seconds(ms)} by the registry's clock`, {
    host,
    cause: `the clock of ${realm.host} is ahead of the registry's, which refuses tokens until they are valid`,
  });
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

/** Where a login buys a token for nobody, or for somebody else. */
function strangerTo(
  user: string | undefined,
  subject: string,
  { credential }: Login,
): { readonly message: string; readonly cause: string } | undefined {
  if (!credential) return undefined;
  if (subject === "" || /^\(?anonymous\)?$/i.test(subject))
    return {
      message: "the token is for nobody, in spite of the login",
      cause: "the service did not take the login and lets anybody read: a push will be refused",
    };
  // Machines' accounts and numbers stand for users in many services.
  if (user === undefined || /[^\w.$+-]/.test(subject) || /^[0-9a-f-]{8,}$/i.test(subject)) return undefined;
  if (user.toLowerCase() === subject.toLowerCase()) return undefined;
  return {
    message: `the token is for ${JSON.stringify(plainText(subject))}, the login is ${JSON.stringify(plainText(user))}`,
    cause: "the service gives this login the rights of that account",
  };
}

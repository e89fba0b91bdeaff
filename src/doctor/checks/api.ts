import { parseChallenges, type Challenge } from "../../auth/challenge.ts";
import { wayOf, type Way } from "../../auth/way.ts";
import { plainText } from "../../store/remote/answer.ts";
import { noBody } from "../../transport/body.ts";
import { retryAfter } from "../../transport/retry-after.ts";
import { ask, isPage, type Answer } from "../ask.ts";
import { blame, blameAnswer } from "../blame.ts";
import type { Bench, Service } from "../context.ts";
import { fault, fine, warning, type Diagnosis, type Step } from "../diagnosis.ts";
import type { Place } from "../place.ts";
import { apiRules } from "../rules/answers.ts";
import { serviceRules } from "../rules/services.ts";
import type { Spoken } from "./tls.ts";

/** What `/v2/` says: whether a registry answers there, and what it asks for. */
export interface Api {
  readonly answer: Answer;
  readonly url: URL;
  /** How it wants to be shown who asks; absent where anybody may. */
  readonly way?: Way;
  readonly service?: Service;
}

const versionHeader = "docker-distribution-api-version";

/** Asks `/v2/` without a login (distribution-spec, "Determining Support"), and says who answers if no registry does. */
export async function checkApi(place: Place, { origin }: Spoken, bench: Bench): Promise<Step<Api>> {
  const url = new URL("/v2/", origin);
  let first: Answer;
  try {
    first = await ask(bench.network, { method: "GET", url, anonymous: true }, bench);
  } catch (error) {
    if (bench.signal.aborted) throw error;
    const found = blame("api", error, place);
    // With TLS 1.3 a server says after the handshake that it misses a certificate.
    return { told: [/client certificate/.test(found.cause ?? "") ? { ...found, check: "tls" } : found] };
  }
  const { location } = first.headers;
  if (first.status < 300 || first.status > 399 || location === undefined) return judge(place, first, bench);
  return led(place, first, location, bench);
}

/** Follows where the answer leads, as commands would, and says where that is. */
async function led(place: Place, first: Answer, location: string, bench: Bench): Promise<Step<Api>> {
  const to = URL.parse(location, first.url.href);
  const where = to?.host ?? "nowhere";
  try {
    const answer = await ask(bench.transport, { method: "GET", url: first.url, anonymous: true }, bench);
    const step = judge(place, { ...answer, url: to ?? first.url }, bench);
    const elsewhere = to !== null && to.host !== place.host;
    const told = warning("api", `/v2/ leads on to ${where} (${first.status})`, {
      host: place.host,
      status: first.status,
      cause: elsewhere
        ? "the registry is at another host: name that one, as logins do not follow to it"
        : "the registry is at another path of this host than clients ask at",
      ...(elsewhere && { command: `gantry doctor ${where}` }),
    });
    return { ...step, told: [told, ...step.told] };
  } catch (error) {
    if (bench.signal.aborted) throw error;
    return { told: [{ ...blame("api", error, place), command: `curl -iL ${first.url.href}` }] };
  }
}

function judge(place: Place, answer: Answer, bench: Bench): Step<Api> {
  const { status, headers, url } = answer;
  const { host } = place;
  const challenges = parseChallenges(headers["www-authenticate"]);
  const way = wayOf(url, { status, headers, body: noBody });
  const isRegistry = status === 200 ? !isPage(answer) && claims(answer) : status === 401 && way !== undefined;
  if (!isRegistry) return { told: [unlike(place, answer, bench)] };
  const service = bench.identify?.(host, challenges, headers);
  const said = [
    plainText(headers[versionHeader] ?? "no version header").slice(0, 40),
    service && `looks like ${service.name}`,
    describe(challenges, way),
  ];
  return {
    told: [
      fine("api", `/v2/ answers ${status}: ${said.filter(Boolean).join(", ")}`, { host, status }),
      ...(service?.quirks ?? []).map((quirk) => fine("service", `${service?.name}: ${quirk}`, { host })),
    ],
    known: { answer, url, ...(way && { way }), ...(service && { service }) },
  };
}

/** Whether a 200 is a registry's: by its header, or by the empty body or JSON that registries send. */
function claims({ headers, text }: Answer): boolean {
  return headers[versionHeader] !== undefined || /^\s*(?:\{[^]*\}|)\s*$/.test(text);
}

function describe(challenges: readonly Challenge[], way: Way | undefined): string {
  if (!way) return "lets anybody in";
  if (way.bearer) return `wants a token of ${way.bearer.realm.host}`;
  return `wants a login (${challenges
    .slice(0, 3)
    .map(({ scheme }) => scheme)
    .join(", ")
    .slice(0, 40)})`;
}

function unlike(place: Place, answer: Answer, { clock }: Bench): Diagnosis {
  const { status, headers } = answer;
  const what = isPage(answer) ? "a web page" : status === 401 ? "no challenge" : "";
  const message = `/v2/ answers ${status}${what && ` with ${what}`}`;
  if (status === 429) {
    const wait = retryAfter(headers, clock.now());
    const more = wait === undefined ? "" : `; it asks to wait ${Math.ceil(wait / 1000)} s`;
    return fault("api", message + more, {
      code: "TOOMANYREQUESTS",
      host: place.host,
      status,
      cause: "a rate limit of this host",
    });
  }
  const code =
    status === 401 || status === 403 || status === 407 ? "DENIED" : status >= 500 ? "UNAVAILABLE" : "UNSUPPORTED";
  return blameAnswer("api", answer, place, { rules: [...serviceRules, ...apiRules], message, code });
}

import { isIP, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { isLoopback } from "../../oci/reference.ts";
import { plainText } from "../../store/remote/answer.ts";
import { tlsContexts, type TlsContexts } from "../../transport/tls.ts";
import { blame } from "../blame.ts";
import { certificateFault } from "../certificate-fault.ts";
import { shownBy, type Shown } from "../certificate.ts";
import type { Bench } from "../context.ts";
import { fault, fine, skipped, warning, type Diagnosis, type Step } from "../diagnosis.ts";
import type { Place } from "../place.ts";
import { ask } from "../ask.ts";
import { formatProxy } from "../route.ts";
import { handshake, tunnel } from "../socket.ts";
import type { Reached } from "./tcp.ts";

/** How the host is spoken to. */
export interface Spoken {
  readonly origin: URL;
}

const day = 86_400_000;
const soon = 14 * day;

/** Shakes hands, whatever the certificate, and tells what is wrong with it; where plain HTTP is allowed, finds out which is spoken. */
export async function checkTls(place: Place, reached: Reached, bench: Bench): Promise<Step<Spoken>> {
  const settings = bench.settingsOf(place.host);
  const lax = Boolean(settings.insecure || settings.plainHttp) || isLoopback(place.host);
  const spoken = (scheme: "http" | "https"): Spoken => ({ origin: new URL(`${scheme}://${place.host}`) });
  let shown: Shown;
  try {
    const contexts = tlsContexts(bench.settingsOf, bench.trust);
    contexts.widen(place.host);
    const { secureContext } = contexts(place.host) ?? {};
    const through = await connectThrough(place, reached, bench, contexts);
    if ("refused" in through) return { told: [through.refused] };
    shown = await shake(place, through.socket, secureContext ? { secureContext } : {}, bench.signal);
  } catch (error) {
    if (bench.signal.aborted) throw error;
    if (!lax || !(await answersPlainly(place, bench))) return { told: [blame("tls", error, place)] };
    return { told: [plainly(place)], known: spoken("http") };
  }
  const wrong = certificateFault(shown, place, bench.clock.now());
  if (!wrong) return { told: standing(shown, place, bench), known: spoken("https") };
  const trusting = settings.insecure || settings.tls?.rejectUnauthorized === false;
  if (!trusting) return { told: [wrong] };
  const ignored = warning("tls", `${shown.protocol}; nobody checks it, but ${wrong.message}`, { host: place.host });
  return { told: [ignored], known: spoken("https") };
}

/** A connection to the host: straight, or by a tunnel through the proxy, which gets its login only if it proves who it is. */
async function connectThrough(
  place: Place,
  { addresses, port, route }: Reached,
  { connect, signal, settingsOf }: Bench,
  contexts: TlsContexts,
): Promise<{ readonly socket: Socket } | { readonly refused: Diagnosis }> {
  const socket = await connect({ address: addresses[0]!, port }, signal);
  if (route.kind === "direct") return { socket };
  const { url } = route;
  const servername = url.hostname.replace(/^\[|\]$/g, "");
  const { address = place.hostname } = settingsOf(place.host);
  try {
    contexts.widen(url.host);
    const name = { host: servername, ...(isIP(servername) === 0 && { servername }) };
    const trust = { rejectUnauthorized: true, ...contexts(url.host), ...name };
    const toProxy = url.protocol === "https:" ? await handshake(socket, trust, signal) : socket;
    const answer = await tunnel(
      toProxy,
      url,
      `${isIP(address) === 6 ? `[${address}]` : address}:${place.port}`,
      signal,
    );
    if (answer.status >= 200 && answer.status < 300) return answer;
    answer.socket.destroy();
    return { refused: refusedBy(formatProxy(url), answer.status, place) };
  } catch (error) {
    socket.destroy();
    if (signal.aborted) throw error;
    return { refused: blame("proxy", error, { ...place, host: url.host }) };
  }
}

function refusedBy(proxy: string, status: number, { host }: Place): Diagnosis {
  const causes: Readonly<Record<number, string>> = {
    403: "the proxy's rules do not allow this host",
    407: "the proxy wants a login: write it into its URL, http://USER:PASSWORD@HOST:PORT",
    502: "the proxy does not reach the host: its own DNS or network is at fault",
    503: "the proxy does not reach the host: its own DNS or network is at fault",
    504: "the proxy does not reach the host: its own DNS or network is at fault",
  };
  return fault("proxy", `the proxy ${proxy} answered ${status} where it was to connect to ${host}`, {
    code: "NETWORK",
    host,
    status,
    cause: causes[status] ?? "what listens there is no proxy, or one that connects to nothing",
    command: `curl -v --proxy ${proxy} https://${host}/v2/`,
  });
}

async function shake(
  { hostname }: Place,
  socket: Socket,
  trust: ConnectionOptions,
  signal: AbortSignal,
): Promise<Shown> {
  const secure = await handshake(socket, { ...trust, ...(isIP(hostname) === 0 && { servername: hostname }) }, signal);
  try {
    return shownBy(secure, hostname);
  } finally {
    secure.destroy();
  }
}

async function answersPlainly({ host }: Place, bench: Bench): Promise<boolean> {
  const url = new URL(`http://${host}/v2/`);
  return ask(bench.network, { method: "GET", url, anonymous: true }, bench).then(
    () => true,
    () => false,
  );
}

function plainly({ host }: Place): Diagnosis {
  if (isLoopback(host)) return skipped("tls", "plain HTTP, which stays inside this machine", { host });
  return warning("tls", "it speaks plain HTTP: whoever is on the way can read logins and change images", {
    host,
    cause: "the settings of this host allow that",
  });
}

/** A certificate that is right, and for how long it will be. */
function standing({ protocol, chain }: Shown, { host }: Place, { clock }: Bench): readonly Diagnosis[] {
  const [leaf] = chain;
  if (!leaf) return [fine("tls", protocol, { host })];
  const left = leaf.to - clock.now();
  const days = Math.floor(left / day);
  const text = `${protocol}, certificate of ${plainText(leaf.issuer)}, good for ${days} ${days === 1 ? "day" : "days"}`;
  if (left > soon) return [fine("tls", text, { host })];
  const until = new Date(leaf.to).toISOString().slice(0, 16).replace("T", " ");
  return [warning("tls", text, { host, cause: `nobody gets in after ${until} UTC unless it is renewed before` })];
}
